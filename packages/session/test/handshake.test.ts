import { describe, expect, test } from "@jest/globals";
import { generateIdentity } from "@starling/crypto-identity";
import { COOKIE, DATA, type Frame, HELLO, WELCOME } from "@starling/wire-protocol";
import { createSessionCrypto, DEFAULT_LIMITS, type SessionTable } from "../src/index.ts";
import { counted, eventsOf, frameOf, type Host, linkedPair, serials, VirtualWire } from "./virtual-wire.ts";

function twoHosts(seed: number): { wire: VirtualWire; a: Host; b: Host } {
  const wire = new VirtualWire(seed);
  return { wire, a: wire.addHost("a", "198.51.100.1"), b: wire.addHost("b", "203.0.113.1") };
}

/** All that a stranger's datagram could have changed, except counters. */
function stateOf(table: SessionTable, peer: Host): unknown {
  return { sessions: table.sessions(), of: table.get(peer.id), deadline: table.nextDeadline() };
}

describe("opening", () => {
  test("one round trip opens the link on both sides, the responder at the first Data", () => {
    const { wire, a, b } = twoHosts(1);
    wire.connect(a, b);
    wire.run(25);
    expect(eventsOf(a, "opened")).toEqual([
      { type: "opened", peer: b.id, address: b.address, initiator: true, restarted: false },
    ]);
    expect(eventsOf(b, "opened")).toEqual([]);
    wire.run(10);
    expect(eventsOf(b, "opened")).toEqual([
      { type: "opened", peer: a.id, address: a.address, initiator: false, restarted: false },
    ]);
    wire.run(100);
    expect(a.table.get(b.id)).toMatchObject({ peer: b.id, address: b.address, rttMs: 20, initiator: true });
    expect(b.table.get(a.id)).toMatchObject({ rttMs: 20, initiator: false, queuedBytes: 0 });
    expect(wire.sent.slice(0, 3).map((sent) => sent.datagram[0])).toEqual([HELLO, WELCOME, DATA]);
  });

  test("a Lookup in the Hello is answered in the Welcome", () => {
    const { wire, a, b } = twoHosts(2);
    wire.connect(a, b, { lookup: Uint8Array.of(1, 2, 3) });
    wire.run(1_000);
    expect(eventsOf(a, "nodes")).toEqual([{ type: "nodes", peer: b.id, body: Uint8Array.of(1, 2, 3, 0xbb) }]);
    expect(() => wire.connect(b, a, { lookup: new Uint8Array(1_052) })).toThrow(
      expect.objectContaining({ code: "E_TOO_LARGE" }),
    );
  });

  test.each([
    [10, 10],
    [10, 0],
    [0, 200],
  ])("both dial at once (%d ms apart on a path of %d ms): one session stays, the lesser id's", (apartMs, delayMs) => {
    for (let seed = 0; seed < 6; seed += 1) {
      const { wire, a, b } = twoHosts(seed);
      wire.quality.delayMs = delayMs;
      wire.connect(a, b);
      wire.run(apartMs);
      if (a.table.get(b.id) === undefined || delayMs > 0) wire.connect(b, a);
      wire.run(2_000);
      for (const host of [a, b]) {
        expect(eventsOf(host, "opened").map((event) => event.restarted)).toEqual([false]);
        expect(host.table.sessions()).toHaveLength(1);
      }
      if (counted(a, "links.rekeyed") > 0) {
        expect(a.table.get(b.id)?.initiator).toBe(a.id < b.id);
        expect(b.table.get(a.id)?.initiator).toBe(b.id < a.id);
      }
      wire.send(a, b, frameOf(1), 1);
      wire.send(b, a, frameOf(2), 2);
      // Beyond the time for which replaced keys still open: nothing may hang on those.
      wire.run(40_000);
      wire.send(a, b, frameOf(3), 3);
      wire.send(b, a, frameOf(4), 4);
      wire.run(1_000);
      expect([serials(a), serials(b)]).toEqual([
        [2, 4],
        [1, 3],
      ]);
      expect(counted(a, "dropped.unknown-index") + counted(b, "dropped.unknown-index")).toBe(0);
      expect(counted(a, "links.healed") + counted(b, "links.healed")).toBe(0);
    }
  });

  test.each([
    ["Hello", HELLO],
    ["Welcome", WELCOME],
    ["first Data", DATA],
  ])("a lost %s is made good", (_name, kind) => {
    const { wire, a, b } = twoHosts(3);
    let lost = 0;
    wire.drops = ({ datagram }) => datagram[0] === kind && lost++ === 0;
    wire.connect(a, b);
    expect(wire.run(2_500, () => b.table.get(a.id)?.rttMs !== undefined)).toBe(true);
    expect(lost).toBeGreaterThan(0);
    expect(eventsOf(b, "opened")).toHaveLength(1);
    if (kind === WELCOME) expect(counted(b, "welcomes.repeated")).toBe(1);
  });

  test("a dial that nobody answers is unreachable, after Hellos at its offsets", () => {
    const { wire, a, b } = twoHosts(4);
    wire.drops = () => true;
    wire.connect(a, b);
    wire.connect(a, b, { attemptsMs: [0] });
    wire.run(60_000);
    expect(wire.sent.map((sent) => sent.atMono)).toEqual([1_000, 2_000, 4_000]);
    expect(new Set(wire.sent.map((sent) => Buffer.from(sent.datagram).toString("hex"))).size).toBe(1);
    expect(a.events).toEqual([{ type: "unreachable", peer: b.id, address: b.address }]);
    expect(a.table.nextDeadline()).toBeNull();
  });

  test("a dial that is answered out of a life that its peer has left is over, and the link stays in the new one", () => {
    const { wire, a, b } = linkedPair(7);
    const welcomes: Uint8Array[] = [];
    wire.drops = ({ datagram }) => datagram[0] === WELCOME && welcomes.push(datagram) > 0;
    wire.connect(a, b);
    wire.run(15);
    wire.drops = () => false;
    b.table = wire.newTable(b.crypto);
    wire.connect(b, a);
    wire.run(100);
    expect(eventsOf(a, "opened").map((event) => event.restarted)).toEqual([false, true]);
    expect(eventsOf(a, "answered")).toHaveLength(1);
    wire.inject(a, welcomes[0] ?? new Uint8Array(0), b.address);
    expect(counted(a, "dropped.retired-epoch")).toBe(1);
    expect(eventsOf(a, "unreachable")).toEqual([{ type: "unreachable", peer: b.id, address: b.address }]);
    wire.send(a, b, frameOf(1));
    wire.run(1_000);
    expect(serials(b)).toEqual([1]);
    expect([...eventsOf(a, "answered"), ...eventsOf(a, "unreachable")]).toHaveLength(2);
  });

  test("no dial goes to oneself or to an address that is nobody's", () => {
    const { wire, a, b } = twoHosts(5);
    wire.connect(a, a);
    a.table.connect(b.id, { ip: "224.0.0.1", port: 4000 }, wire.now(a));
    a.table.connect(b.id, { ip: "ff02::1", port: 4000 }, wire.now(a));
    a.table.connect(b.id, { ip: "198.51.100.7", port: 0 }, wire.now(a));
    wire.pump(a);
    wire.run(10);
    expect(eventsOf(a, "unreachable")).toHaveLength(4);
    expect(wire.sent).toEqual([]);
  });

  test("hosts of two networks never meet", () => {
    const wire = new VirtualWire(6);
    const { random } = wire;
    const a = wire.addHost("a", "198.51.100.1");
    const crypto = createSessionCrypto({ identity: generateIdentity(random), network: "other", random });
    const b = wire.addHost("b", "203.0.113.1", {}, crypto);
    wire.connect(a, b);
    wire.run(10_000);
    expect(eventsOf(a, "unreachable")).toHaveLength(1);
    expect(counted(b, "dropped.handshake")).toBe(3);
  });
});

describe("replays and floods", () => {
  test("a replayed Hello changes nothing and is answered by a Cookie", () => {
    const { wire, a, b } = linkedPair(7);
    const hello = wire.sent.find((sent) => sent.datagram[0] === HELLO);
    if (hello === undefined) throw new Error("no Hello");
    const before = stateOf(b.table, a);
    const sentBefore = wire.sent.length;
    const stranger = { ip: "192.0.2.66", port: 99 };
    for (let round = 0; round < 5; round += 1) wire.inject(b, hello.datagram, stranger);
    const answers = wire.sent.slice(sentBefore);
    expect(answers.map((sent) => [sent.datagram[0], sent.to])).toEqual(Array(5).fill([COOKIE, stranger]));
    expect(stateOf(b.table, a)).toEqual(before);
    // With the cookie it is answered, and still replaces nothing: its Welcome is of no use to who lacks the key.
    const retried = hello.datagram.slice();
    retried.set(answers[0]?.datagram.subarray(21) ?? [], 1_184);
    wire.inject(b, retried, stranger);
    expect(wire.sent.at(-1)?.datagram[0]).toBe(WELCOME);
    expect(b.table.get(a.id)?.address).toEqual(a.address);
    wire.send(a, b, frameOf(1));
    wire.run(1_000);
    expect(serials(b)).toEqual([1]);
    // Nor does it stand in the way of the owner's next one.
    wire.connect(a, b);
    wire.run(1_000);
    expect(counted(b, "links.rekeyed")).toBe(1);
    wire.run(11_000);
    expect(counted(b, "links.restarted")).toBe(0);
  });

  test("a clock that went back is let in by cookie", () => {
    const { wire, a, b } = linkedPair(8);
    a.wallOffsetMs = -3_600_000;
    a.table = wire.newTable(a.crypto);
    wire.connect(a, b);
    wire.run(500);
    expect(counted(b, "cookies.sent")).toBe(1);
    expect(eventsOf(b, "opened").map((event) => event.restarted)).toEqual([false, true]);
  });

  test("a flood of Hellos costs a bounded number of DHs; the rest need a cookie, and get in with it", () => {
    const wire = new VirtualWire(9, { delayMs: 1 });
    const b = wire.addHost("b", "203.0.113.1");
    const dials: Host[] = [];
    for (let index = 0; index < 200; index += 1) dials.push(wire.addHost(`d${index}`, `198.${index % 100}.${index}.1`));
    let cookieless = 0;
    for (const dial of dials) {
      dial.table.connect(b.id, b.address, wire.now(dial), { attemptsMs: [0] });
      for (const { datagram } of dial.table.flush(wire.now(dial))) wire.inject(b, datagram, dial.address);
      cookieless = counted(b, "handshakes.answered");
    }
    expect(cookieless).toBe(DEFAULT_LIMITS.handshakesPerSecond);
    expect(counted(b, "cookies.sent")).toBe(200 - DEFAULT_LIMITS.handshakesPerSecond);
    wire.run(1_000);
    expect(b.table.sessions()).toHaveLength(200);
  });

  test("one address floods itself out and nobody else; a forged address is no way to shut its owner out", () => {
    const wire = new VirtualWire(10, { delayMs: 1 });
    const b = wire.addHost("b", "203.0.113.1", { handshakesPerSecond: 1_000 });
    const a = wire.addHost("a", "198.51.100.1");
    for (let index = 0; index < 100; index += 1) {
      const identity = generateIdentity(wire.random);
      const crypto = createSessionCrypto({ identity, network: "test", random: wire.random });
      const forger = wire.newTable(crypto);
      forger.connect(b.id, b.address, wire.now(b));
      for (const { datagram } of forger.flush(wire.now(b)))
        wire.inject(b, datagram, { ...a.address, port: 5_000 + index });
    }
    expect(counted(b, "handshakes.answered")).toBe(2 * DEFAULT_LIMITS.hellosPerSecondIp);
    wire.connect(a, b);
    wire.run(500);
    expect(counted(a, "cookies.received")).toBe(1);
    expect(b.table.get(a.id)?.address).toEqual(a.address);
  });

  test("no answer to a stranger is larger than what he sent, and only a Hello is answered at all", () => {
    const { wire, a, b } = linkedPair(11);
    const seen = wire.sent.map((sent) => sent.datagram);
    const stranger = { ip: "192.0.2.66", port: 99 };
    for (const datagram of [...seen, ...seen]) {
      for (const cut of [datagram, datagram.slice(0, 64), Uint8Array.of(...datagram, 0)]) {
        for (const host of [a, b]) {
          const before = wire.sent.length;
          wire.inject(host, cut, stranger);
          const answers = wire.sent.slice(before).filter((sent) => sent.to === stranger);
          const answeredBytes = answers.reduce((sum, sent) => sum + sent.datagram.length, 0);
          expect(answeredBytes).toBeLessThanOrEqual(cut.length);
          if (cut[0] !== HELLO) expect(answers).toEqual([]);
        }
      }
    }
    expect(wire.sent.some((sent) => sent.to === stranger)).toBe(true);
  });
});

describe("new keys", () => {
  test("keys are renewed at 120 s by their initiator, under loss, and no frame is lost or doubled", () => {
    const { wire, a, b } = linkedPair(12, { loss: 0.3, delayMs: 50, jitterMs: 20, duplication: 0.05 });
    const count = 400;
    for (let serial = 0; serial < count; serial += 1) {
      wire.send(a, b, frameOf(serial), serial);
      wire.send(b, a, frameOf(serial), serial);
      wire.run(1_000);
    }
    wire.quality.loss = 0;
    wire.run(10_000);
    for (const host of [a, b]) {
      expect(serials(host).sort((x, y) => x - y)).toEqual([...Array(count).keys()]);
      expect(eventsOf(host, "acknowledged")).toHaveLength(count);
      expect(eventsOf(host, "opened")).toHaveLength(1);
      expect(counted(host, "links.rekeyed")).toBeGreaterThanOrEqual(3);
      expect(counted(host, "links.restarted")).toBe(0);
    }
  });

  test("on a quiet perfect path only the initiator rekeys, every 120 s", () => {
    const { wire, a, b } = linkedPair(13);
    wire.run(601_000);
    expect([counted(a, "handshakes.started"), counted(b, "handshakes.started")]).toEqual([6, 0]);
    expect(counted(b, "links.rekeyed")).toBe(5);
  });

  test("a count of messages renews keys as well", () => {
    const wire = new VirtualWire(14);
    const a = wire.addHost("a", "198.51.100.1", { rekeyAfterMessages: 50 });
    const b = wire.addHost("b", "203.0.113.1");
    wire.connect(a, b);
    wire.run(500);
    for (let serial = 0; serial < 60; serial += 1) {
      wire.send(a, b, frameOf(serial));
      wire.run(100);
    }
    expect(counted(a, "links.rekeyed")).toBe(1);
  });

  test("a peer that restarts is healed within two seconds of the first frame, and what was unacknowledged arrives", () => {
    for (const seed of [15, 16, 17]) {
      const { wire, a, b } = linkedPair(seed, { loss: 0.1, delayMs: 20 });
      const large: Frame = { kind: 0x84, body: wire.random(40_000) };
      for (let serial = 0; serial < 20; serial += 1) wire.send(a, b, frameOf(serial), serial);
      wire.run(1_500);
      b.table = wire.newTable(b.crypto);
      const restartedAt = b.events.length;
      wire.send(a, b, large, 20);
      for (let serial = 21; serial < 40; serial += 1) wire.send(a, b, frameOf(serial), serial);
      const isDone = () => new Set(eventsOf(a, "acknowledged").map((event) => event.token)).size === 40;
      expect(wire.run(8_000, isDone)).toBe(true);
      expect(eventsOf(a, "opened").map((event) => event.restarted)).toEqual([false, true]);
      const after = b.events.slice(restartedAt).flatMap((event) => (event.type === "frame" ? [event.frame] : []));
      expect(after.filter((frame) => frame.kind === 0x84)).toEqual([large]);
      const fresh = serials(b).filter((serial) => serial > 20);
      expect(fresh.sort((x, y) => x - y)).toEqual([...Array(19).keys()].map((index) => index + 21));
      expect(eventsOf(a, "closed")).toEqual([]);
    }
  });

  test("both sides restart in turn, again and again, and frames still pass exactly once", () => {
    const { wire, a, b } = linkedPair(18, { loss: 0.1, delayMs: 30, jitterMs: 25 });
    for (let round = 0; round < 6; round += 1) {
      const restarted = round % 2 === 0 ? a : b;
      restarted.table = wire.newTable(restarted.crypto);
      wire.connect(a, b);
      if (round > 2) wire.connect(b, a);
      wire.run(6_000);
      wire.send(a, b, frameOf(round), round);
      wire.send(b, a, frameOf(round), round);
      wire.run(4_000);
    }
    const rounds = [...Array(6).keys()];
    expect([serials(a), serials(b)]).toEqual([rounds, rounds]);
  });
});
