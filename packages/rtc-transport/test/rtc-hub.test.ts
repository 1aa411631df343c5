import dgram from "node:dgram";
import { getEventListeners } from "node:events";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { RtcError } from "../src/index.ts";
import { eventually, LABEL, open, overTheWire, Rogue, seeded, TestHub } from "./support.ts";

const hubs: TestHub[] = [];
const make = (options: ConstructorParameters<typeof TestHub>[0] = {}): TestHub => {
  const made = new TestHub(options);
  hubs.push(made);
  return made;
};

beforeAll(() => new TestHub().hub.warmUp(), 20_000);
afterEach(async () => {
  await Promise.all(hubs.splice(0).map(({ hub }) => hub.shutdown()));
});

describe("two hubs", () => {
  test("open a channel from compact descriptions and exchange 1,000 messages of mixed sizes both ways in order", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    const random = seeded(7);
    const sent = Array.from({ length: 1000 }, (_, i) => {
      const size = i % 50 === 0 ? 16_384 : 1 + Math.floor(random() * (i % 2 === 0 ? 40 : 1200));
      return Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
    });
    const push = async (from: TestHub): Promise<void> => {
      for (const message of sent) {
        await eventually(() => (from.hub.send("c", message) === "full" ? undefined : true), "room");
      }
    };
    await Promise.all([push(a), push(b)]);
    for (const to of [a, b]) {
      await eventually(() => (to.count("message") >= 1000 ? true : undefined), "1,000 messages", 10_000);
      expect(Buffer.concat(to.messages()).equals(Buffer.concat(sent))).toBe(true);
      expect(to.messages().map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
    }
  }, 15_000);

  test("severed, neither end hears of the other or of its end, until it is closed", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    a.hub.sever("c");
    for (let i = 0; i < 10; i += 1) expect(a.hub.send("c", Uint8Array.of(1))).not.toBe("not-open");
    b.hub.send("c", Uint8Array.of(2));
    a.hub.close("c");
    expect((await a.seen("closed")).reason).toBe("local");
    expect([a.count("message"), b.count("message"), b.count("closed")]).toEqual([0, 0, 0]);
  });

  test("open over IPv6 loopback", async () => {
    const [a, b] = [make({ bindAddresses: ["::1"] }), make({ bindAddresses: ["::1", "127.0.0.1"] })];
    await open(a, b);
    b.hub.send("c", Uint8Array.of(1));
    expect((await a.seen("message")).bytes).toEqual(Uint8Array.of(1));
  });

  test("join many small messages of one turn into few frames", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    const before = a.hub.stats().open[0]?.sentBytes ?? 0;
    for (let i = 0; i < 400; i += 1) a.hub.send("c", new Uint8Array(30).fill(i));
    await eventually(() => (b.count("message") === 400 ? true : undefined), "400 messages");
    expect((a.hub.stats().open[0]?.sentBytes ?? 0) - before).toBe(400 * 32);
    expect(b.messages().map(([first]) => first)).toEqual(Array.from({ length: 400 }, (_, i) => i % 256));
  });

  test("say full at 1 MiB, then that there is room, and lose nothing", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    expect(await a.hub.room("c")).toBe(true);
    let accepted = 0;
    while (a.hub.send("c", new Uint8Array(16_384).fill(accepted)) !== "full") accepted += 1;
    expect(accepted).toBe(63);
    expect(a.hub.send("c", Uint8Array.of(200), { urgent: true })).toBe("queued");
    expect(await Promise.all([a.hub.room("c"), a.hub.room("c")])).toEqual([true, true]);
    expect(a.hub.send("c", Uint8Array.of(255))).not.toBe("full");
    await eventually(() => (b.count("message") === accepted + 2 ? true : undefined), "all of them");
    const order = b.messages().map(([first]) => first);
    expect(order.filter((first) => first !== 200)).toEqual([...Array.from({ length: accepted }, (_, i) => i), 255]);
    expect(order.indexOf(200)).toBe(0);
  });

  test("exchange messages of 256 KiB both ways, urgent ones between", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    const random = seeded(5);
    const long = [0, 1, 2].map(() => Uint8Array.from({ length: 262_144 }, () => Math.floor(random() * 256)));
    for (const hub of [a.hub, b.hub]) {
      for (const message of long) expect(hub.send("c", message)).not.toBe("full");
      expect(hub.send("c", Uint8Array.of(9), { urgent: true })).not.toBe("full");
    }
    for (const to of [a, b]) {
      await eventually(() => (to.count("message") === 4 ? true : undefined), "four messages", 10_000);
      expect(to.messages().map(({ length }) => length)).toEqual([1, 262_144, 262_144, 262_144]);
      expect(Buffer.concat(to.messages().slice(1)).equals(Buffer.concat(long))).toBe(true);
    }
  }, 15_000);

  test("close a channel for a message longer than is taken, or beyond the budget of unfinished ones", async () => {
    for (const [options, reason] of [
      [{ maxMessageBytes: 16_384 }, "misbehaved"],
      [{ maxPartsBytes: 20_000 }, "busy"],
    ] as const) {
      const [a, b] = [make(), make(options)];
      await open(a, b);
      a.hub.send("c", new Uint8Array(40_000));
      expect((await b.seen("closed")).reason).toBe(reason);
      expect(b.count("message")).toBe(0);
    }
  });

  test("say what was sent before a close, and nothing after a cancel", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    for (let i = 0; i < 20; i += 1) a.hub.send("c", new Uint8Array(16_384).fill(i));
    const waiting = a.hub.room("c");
    a.hub.close("c");
    expect(await waiting).toBe(true);
    expect((await b.seen("closed")).reason).toBe("remote");
    expect(b.messages().map(([first]) => first)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const end of [a, b]) end.events.length = 0;
    await open(a, b);
    for (let i = 0; i < 60; i += 1) a.hub.send("c", new Uint8Array(16_384));
    const full = a.hub.room("c");
    a.hub.cancel("c");
    expect([await full, await a.hub.room("c"), await a.hub.room("nobody")]).toEqual([false, false, false]);
    expect((await b.seen("closed")).reason).toBe("remote");
    expect(b.count("message")).toBe(0);
  });

  test("wait with a close no longer than half a second for a peer that is gone", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    b.hub.sever("c");
    for (let i = 0; i < 60; i += 1) a.hub.send("c", new Uint8Array(16_384));
    const started = performance.now();
    await a.hub.shutdown();
    expect(performance.now() - started).toBeGreaterThan(450);
    expect((await a.seen("closed")).reason).toBe("local");
  });

  test("end a channel with its signal, at any stage", async () => {
    const [a, b] = [make(), make()];
    const abort = new AbortController();
    a.hub.offer("c", LABEL, { signal: abort.signal });
    abort.abort();
    expect((await a.seen("closed")).reason).toBe("local");
    a.hub.offer("d", LABEL, { signal: abort.signal });
    expect((await a.seen("closed", "d")).reason).toBe("local");
    for (const end of [a, b]) end.events.length = 0;
    const later = new AbortController();
    await open(a, b, "c", { signal: later.signal });
    later.abort();
    expect((await a.seen("closed")).reason).toBe("local");
    expect((await b.seen("closed")).reason).toBe("remote");
    expect(getEventListeners(later.signal, "abort").length).toBe(0);
  });

  test("close: the other end hears of it, each exactly once, and the name is free again", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    a.hub.close("c");
    expect(a.hub.send("c", Uint8Array.of(1))).toBe("not-open");
    a.hub.close("c");
    a.hub.cancel("c");
    expect((await b.seen("closed")).reason).toBe("remote");
    expect((await a.seen("closed")).reason).toBe("local");
    expect([a.count("closed"), b.count("closed")]).toEqual([1, 1]);
    a.events.length = 0;
    b.events.length = 0;
    await open(a, b);
  });

  test.each([0, 1, 2, 3, 4, 5])("open although DTLS datagram %i of the handshake is lost on its way", async (lost) => {
    const [a, b] = [make(), make()];
    let seen = 0;
    const send = dgram.Socket.prototype.send;
    dgram.Socket.prototype.send = function (this: dgram.Socket, ...parts: unknown[]) {
      const [data] = parts;
      const isDtls = Buffer.isBuffer(data) && (data[0] ?? 0) >= 20 && (data[0] ?? 0) <= 63;
      if (isDtls) seen += 1;
      if (!isDtls || seen - 1 !== lost) Reflect.apply(send, this, parts);
    };
    try {
      await open(a, b);
    } finally {
      dgram.Socket.prototype.send = send;
    }
    expect(seen).toBeGreaterThan(lost);
    b.hub.send("c", Uint8Array.of(1));
    expect((await a.seen("message")).bytes).toEqual(Uint8Array.of(1));
  });

  test("open although the first two seconds of checks are lost, as behind a NAT that is not open yet", async () => {
    const [a, b] = [make(), make()];
    const send = dgram.Socket.prototype.send;
    const until = performance.now() + 2000;
    let lost = 0;
    dgram.Socket.prototype.send = function (this: dgram.Socket, ...parts: unknown[]) {
      if (performance.now() > until) Reflect.apply(send, this, parts);
      else lost += 1;
    };
    try {
      await open(a, b);
    } finally {
      dgram.Socket.prototype.send = send;
    }
    expect(lost).toBeGreaterThan(8);
  }, 10_000);

  test("hold several channels at once", async () => {
    const [a, b] = [make({ maxDials: 5 }), make({ maxDials: 5 })];
    const names = Array.from({ length: 5 }, (_, i) => `c${i}`);
    await Promise.all(names.map((name) => open(a, b, name)));
    for (const name of names) a.hub.send(name, Buffer.from(name));
    await eventually(() => (b.count("message") === 5 ? true : undefined), "a message each");
    for (const event of b.events) {
      if (event.type === "message") expect(Buffer.from(event.bytes).toString()).toBe(event.channel);
    }
  });
});

describe("a hub", () => {
  test("refuses misuse with a code", () => {
    const a = make({ maxDials: 2 });
    const code = (call: () => unknown): string | undefined => {
      try {
        call();
      } catch (error) {
        return error instanceof RtcError ? error.code : String(error);
      }
      return undefined;
    };
    expect(code(() => new TestHub({ bindAddresses: ["localhost"] }))).toBe("E_BAD_OPTION");
    expect(code(() => new TestHub({ iceServers: [{ ip: "stun.example", port: 3478 }] }))).toBe("E_BAD_OPTION");
    expect(code(() => new TestHub({ maxChannels: 1.5 }))).toBe("E_BAD_OPTION");
    expect(code(() => a.hub.offer("c", "Größe"))).toBe("E_BAD_LABEL");
    expect(code(() => a.hub.send("c", new Uint8Array(0)))).toBe("E_BAD_SIZE");
    expect(code(() => a.hub.send("c", new Uint8Array(262_145)))).toBe("E_BAD_SIZE");
    expect(code(() => a.hub.send("c", new Uint8Array(16_385), { urgent: true }))).toBe("E_BAD_SIZE");
    expect(code(() => new TestHub({ maxMessageBytes: 262_145 }))).toBe("E_BAD_OPTION");
    a.hub.offer("c", LABEL);
    expect(code(() => a.hub.offer("c", LABEL))).toBe("E_CHANNEL_EXISTS");
    void a.hub.shutdown();
    expect(code(() => a.hub.offer("d", LABEL))).toBe("E_SHUT_DOWN");
    expect(a.hub.send("nobody", Uint8Array.of(1))).toBe("not-open");
    for (const call of [a.hub.close, a.hub.cancel]) call("nobody");
  });

  test("takes no more dials than maxDials and no more channels than maxChannels", async () => {
    const a = make({ maxDials: 2 });
    for (const name of ["1", "2", "3"]) a.hub.offer(name, LABEL);
    expect((await a.seen("closed", "3")).reason).toBe("busy");
    const [b, c] = [make({ maxChannels: 1 }), make()];
    await open(b, c);
    b.hub.offer("2", LABEL);
    expect((await b.seen("closed", "2")).reason).toBe("busy");
  });

  test("that is relayed-only makes channels to neighbours alone, and binds nothing for others", async () => {
    const [a, b] = [make({ icePolicy: "relayed-only" }), make()];
    a.hub.offer("1", LABEL);
    expect((await a.seen("closed", "1")).reason).toBe("policy");
    b.hub.offer("2", LABEL);
    a.hub.accept("2", LABEL, overTheWire((await b.seen("described", "2")).description));
    expect((await a.seen("closed", "2")).reason).toBe("policy");
    expect(a.count("described")).toBe(0);
    await open(a, b, "3", { isNeighbour: true });
  });

  test("asks for its STUN servers anew for each channel, and takes no name for one", async () => {
    let asked = 0;
    const iceServers = () => {
      asked += 1;
      return [{ ip: "stun.example", port: 3478 }];
    };
    const a = make({ iceServers, gatherMs: 5000 });
    for (const name of ["1", "2"]) {
      a.hub.offer(name, LABEL);
      expect((await a.seen("described", name)).description.candidates.length).toBe(1);
    }
    expect(asked).toBe(2);
  });

  test("closes what does not open in time, and what cannot be bound", async () => {
    const a = make({ openTimeoutMs: 50 });
    a.hub.offer("c", LABEL);
    expect((await a.seen("closed")).reason).toBe("timeout");
    // An address of the documentation range is not this machine's.
    const b = make({ bindAddresses: ["192.0.2.1"] });
    b.hub.offer("c", LABEL);
    expect((await b.seen("closed")).reason).toBe("failed");
  });

  test("never opens with another certificate than the one described", async () => {
    const [a, b] = [make({ openTimeoutMs: 500 }), make({ openTimeoutMs: 500 })];
    for (const [channel, liar] of [
      ["1", "offer"],
      ["2", "answer"],
    ] as const) {
      a.hub.offer(channel, LABEL);
      const offer = overTheWire((await a.seen("described", channel)).description);
      b.hub.accept(channel, LABEL, liar === "offer" ? { ...offer, fingerprint: flipped(offer.fingerprint) } : offer);
      const answer = overTheWire((await b.seen("described", channel)).description);
      a.hub.answer(channel, liar === "answer" ? { ...answer, fingerprint: flipped(answer.fingerprint) } : answer);
      const [first, second] = await Promise.all([a.seen("closed", channel), b.seen("closed", channel)]);
      expect([first.reason, second.reason].sort()).toEqual(["failed", "timeout"]);
    }
    expect(a.count("opened") + b.count("opened")).toBe(0);
  });

  test("never opens with another label", async () => {
    const [a, b] = [make(), make()];
    a.hub.offer("c", LABEL);
    b.hub.accept("c", "ff", overTheWire((await a.seen("described")).description));
    a.hub.answer("c", overTheWire((await b.seen("described")).description));
    const reasons = [(await a.seen("closed")).reason, (await b.seen("closed")).reason];
    expect(reasons).toContain("misbehaved");
    expect(a.count("opened") + b.count("opened")).toBe(0);
  });

  test("ignores an answer nobody waits for, and refuses one without a role", async () => {
    const [a, b] = [make(), make()];
    await open(a, b);
    const { description } = await b.seen("described");
    a.hub.answer("c", description);
    a.hub.answer("nobody", description);
    a.hub.send("c", Uint8Array.of(1));
    await b.seen("message");
    a.hub.offer("d", LABEL);
    await a.seen("described", "d");
    a.hub.answer("d", { ...description, setup: "actpass" });
    expect((await a.seen("closed", "d")).reason).toBe("failed");
  });

  test("takes late candidates before and after the answer, ten in all", async () => {
    const [a, b] = [make(), make()];
    a.hub.offer("c", LABEL);
    const offer = overTheWire((await a.seen("described")).description);
    b.hub.accept("c", LABEL, { ...offer, candidates: [] });
    const answer = overTheWire((await b.seen("described")).description);
    // The only way to b comes before the answer does, the only way to a after it was given.
    for (const candidate of answer.candidates) a.hub.addCandidate("c", candidate);
    a.hub.answer("c", { ...answer, candidates: [] });
    for (const candidate of offer.candidates) b.hub.addCandidate("c", candidate);
    await Promise.all([a.seen("opened"), b.seen("opened")]);
    for (let port = 5000; port < 5020; port += 1) {
      a.hub.addCandidate("c", { type: "host", address: { ip: "127.0.0.1", port } });
    }
    expect(a.hub.stats().dropped.get("candidate")).toBe(11);
  });

  test("shutdown frees everything and says so for each channel", async () => {
    const [a, b] = [make(), make()];
    await open(a, b, "1");
    a.hub.offer("2", LABEL);
    await a.hub.shutdown();
    expect(a.events.filter(({ type }) => type === "closed").map(({ channel }) => channel)).toEqual(["1", "2"]);
    expect(a.hub.stats().channels.every(({ count }) => count === 0)).toBe(true);
    expect((await b.seen("closed", "1")).reason).toBe("remote");
  });
});

describe("against a peer that", () => {
  test("opens a second channel", async () => {
    const b = make();
    const rogue = await Rogue.meet(b);
    rogue.greet();
    await b.seen("opened");
    const openMessage = Buffer.concat([Buffer.from("030000000000000000010000", "hex"), Buffer.from("x")]);
    void rogue.sctp.send(2, 50, openMessage);
    expect((await b.seen("closed")).reason).toBe("misbehaved");
    await rogue.leave();
  });

  test.each([
    ["an empty record", Buffer.from("0000", "hex")],
    ["half a record", Buffer.from("000501", "hex")],
    ["a frame that is too long", Buffer.alloc(70_000, 1)],
  ])("sends %s", async (_name, frame) => {
    const b = make();
    const rogue = await Rogue.meet(b);
    rogue.greet();
    await b.seen("opened");
    void rogue.sctp.send(0, 53, frame);
    expect((await b.seen("closed")).reason).toBe("misbehaved");
    expect(b.count("message")).toBe(0);
    await rogue.leave();
  });

  test("sends a message of another kind", async () => {
    const b = make();
    const rogue = await Rogue.meet(b);
    rogue.greet();
    await b.seen("opened");
    void rogue.sctp.send(0, 51, Buffer.from("text"));
    expect((await b.seen("closed")).reason).toBe("misbehaved");
    await rogue.leave();
  });
});

function flipped(fingerprint: Uint8Array): Uint8Array {
  return fingerprint.map((byte, i) => (i === 31 ? byte ^ 1 : byte));
}
