import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { generateIdentity, type NodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import { closeAll, deferred, eventually, random, secureOn } from "./support.ts";

afterEach(closeAll);

describe("secure udp", () => {
  test("two of them exchange messages, small and large, and part with a Bye", async () => {
    const events: string[] = [];
    const a = await secureOn("127.0.0.1");
    const closed = deferred<void>();
    const b = await secureOn("127.0.0.1", {
      onSession(event) {
        events.push(event.type);
        if (event.type === "closed") closed.resolve();
      },
    });
    const info = await a.secure.connect(b.secure.id, b.secure.address);
    expect(info).toMatchObject({ peer: b.secure.id, address: b.secure.address, initiator: true });
    const contents = [Uint8Array.of(1), random(1_100), random(60_000)];
    await Promise.all(contents.map((bytes) => a.secure.send(b.secure.id, bytes)));
    expect(b.box.messages.map((message) => message.from)).toEqual(Array(3).fill(a.secure.id));
    const bySize = [...b.box.messages].sort((x, y) => x.bytes.length - y.bytes.length);
    expect(bySize.map((message) => Buffer.from(message.bytes).toString("hex"))).toEqual(
      contents.map((bytes) => Buffer.from(bytes).toString("hex")),
    );
    const answered = a.box.next();
    await b.secure.send(a.secure.id, Uint8Array.of(9));
    await answered;
    expect(a.box.messages[0]?.bytes).toEqual(Uint8Array.of(9));
    await a.secure.close();
    await closed.promise;
    expect(events).toEqual(["opened", "closed"]);
    expect(b.secure.sessions()).toEqual([]);
  });

  test("garbage, from anywhere, leaves it alive", async () => {
    const a = await secureOn("127.0.0.1");
    const b = await secureOn("127.0.0.1");
    const raw = createSocket("udp4");
    const { port, ip } = b.secure.address;
    for (let round = 0; round < 200; round += 1) {
      const bytes = random([0, 1, 29, 37, 1_200, 1_500][round % 6] ?? 0);
      if (bytes.length > 0) bytes[0] = 0x50 + (round % 5);
      await new Promise<void>((done) => raw.send(bytes, port, ip, () => done()));
    }
    raw.close();
    await once(raw, "close");
    await a.secure.connect(b.secure.id, b.secure.address);
    await a.secure.send(b.secure.id, Uint8Array.of(1));
    expect(b.box.messages).toHaveLength(1);
    expect([...b.secure.counters.keys()].some((name) => name.startsWith("dropped."))).toBe(true);
  });

  test("what cannot be sent is refused with a code", async () => {
    const a = await secureOn("127.0.0.1");
    const b = await secureOn("127.0.0.1");
    const failure = (code: string) => expect.objectContaining({ code });
    await expect(a.secure.send(b.secure.id, Uint8Array.of(1))).rejects.toEqual(failure("E_NO_SESSION"));
    await a.secure.connect(b.secure.id, b.secure.address);
    await expect(a.secure.send(b.secure.id, new Uint8Array(65_530))).rejects.toEqual(failure("E_TOO_LARGE"));
    await a.secure.send(b.secure.id, new Uint8Array(65_529));
    const full = Array.from({ length: 100 }, () => a.secure.send(b.secure.id, new Uint8Array(60_000)));
    const outcomes = Promise.allSettled(full);
    await a.secure.close();
    const codes = (await outcomes).map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "sent"));
    expect(new Set(codes)).toEqual(new Set(["E_UNDELIVERED", "E_QUEUE_FULL"]));
    await expect(a.secure.send(b.secure.id, Uint8Array.of(1))).rejects.toEqual(failure("E_CLOSED"));
    await expect(a.secure.connect(b.secure.id, b.secure.address)).rejects.toEqual(failure("E_CLOSED"));
  });

  test("a dial in vain, and one that is called off, are told", async () => {
    const a = await secureOn("127.0.0.1");
    const { id } = generateIdentity(random);
    const failure = (code: string) => expect.objectContaining({ code });
    await expect(a.secure.connect(id, { ip: "127.0.0.1", port: 0 })).rejects.toEqual(failure("E_BAD_ADDRESS"));
    await expect(a.secure.connect(id, { ip: "localhost", port: 9 })).rejects.toEqual(failure("E_BAD_ADDRESS"));
    await expect(a.secure.connect("00" as NodeId, { ip: "127.0.0.1", port: 9 })).rejects.toEqual(failure("E_BAD_ID"));
    const hopeless = a.secure.connect(id, { ip: "127.0.0.1", port: 9 });
    a.secure.disconnect(id);
    await expect(hopeless).rejects.toEqual(expect.objectContaining({ code: "E_UNREACHABLE" }));
  });

  test("what is sent once arrives as such, and has a size of its own", async () => {
    const [a, b] = [await secureOn("127.0.0.1"), await secureOn("127.0.0.1")];
    const failure = (code: string) => expect.objectContaining({ code });
    expect(() => a.secure.sendOnce(b.secure.id, Uint8Array.of(1))).toThrow(failure("E_NO_SESSION"));
    await a.secure.connect(b.secure.id, b.secure.address);
    expect(() => a.secure.sendOnce(b.secure.id, new Uint8Array(1_169))).toThrow(failure("E_TOO_LARGE"));
    const arrived = b.box.next();
    a.secure.sendOnce(b.secure.id, new Uint8Array(1_168));
    await arrived;
    expect(b.box.messages).toMatchObject([{ from: a.secure.id, isReliable: false }]);
    expect(b.box.messages[0]?.bytes).toHaveLength(1_168);
  });

  test("back-pressure: ready holds a producer to half a queue, drained waits for the last", async () => {
    const limits = { queuedFrames: 64, queuedBytes: 256 * 1024 };
    const [a, b] = [await secureOn("127.0.0.1", { limits }), await secureOn("127.0.0.1")];
    await a.secure.connect(b.secure.id, b.secure.address);
    let acknowledged = 0;
    for (let count = 0; count < 1_000; count += 1) {
      await a.secure.ready(b.secure.id);
      // Never refused: whoever waits is never full.
      void a.secure.send(b.secure.id, new Uint8Array(2_000)).then(() => {
        acknowledged += 1;
      });
    }
    await a.secure.drained(b.secure.id);
    expect(b.box.messages).toHaveLength(1_000);
    await a.secure.drained();
    expect(acknowledged).toBe(1_000);
    expect(a.secure.session(b.secure.id)).toMatchObject({ queuedBytes: 0, isValidated: true });
    // One who waits for a session that ends waits no longer.
    const rest = Promise.allSettled(
      Array.from({ length: 40 }, () => a.secure.send(b.secure.id, new Uint8Array(5_000))),
    );
    const waits = [a.secure.ready(b.secure.id), a.secure.drained(b.secure.id), a.secure.drained()];
    a.secure.disconnect(b.secure.id);
    await Promise.all(waits);
    await rest;
  });

  test("a session tells what went over it", async () => {
    const [a, b] = [await secureOn("127.0.0.1"), await secureOn("127.0.0.1")];
    await a.secure.connect(b.secure.id, b.secure.address);
    await a.secure.send(b.secure.id, new Uint8Array(10_000));
    const [mine, theirs] = [a.secure.session(b.secure.id)?.traffic, b.secure.session(a.secure.id)?.traffic];
    expect(mine?.sentFrames).toBeGreaterThanOrEqual(9);
    expect(mine?.sentBytes).toBeGreaterThan(10_000);
    expect(theirs?.receivedBytes).toBeGreaterThan(10_000);
    expect(mine?.receivedDatagrams).toBeGreaterThan(0);
    expect(a.secure.session(a.secure.id)).toBeUndefined();
  });

  test("where neighbours see a socket is decided by vote, and told", async () => {
    const seen = deferred<Address | undefined>();
    const a = await secureOn("127.0.0.1", { onObserved: (address) => seen.resolve(address) });
    const others = [await secureOn("127.0.0.1"), await secureOn("127.0.0.1")];
    expect(a.secure.observedAddress).toBeUndefined();
    for (const { secure } of others) await a.secure.connect(secure.id, secure.address);
    expect(await seen.promise).toEqual(a.secure.address);
    expect(a.secure.observedAddress).toEqual(a.secure.address);
  });

  test("STUN is answered to an ip with a session, with the address it asks from", async () => {
    const [a, b] = [await secureOn("127.0.0.1"), await secureOn("127.0.0.1")];
    const raw = createSocket("udp4");
    const request = Buffer.from("000100002112a442000102030405060708090a0b", "hex");
    const answers: Buffer[] = [];
    const answered = new Promise<void>((resolve) =>
      raw.on("message", (bytes) => {
        answers.push(bytes);
        resolve();
      }),
    );
    raw.send(request, b.secure.address.port, "127.0.0.1");
    await eventually(() => b.secure.counters.get("dropped.stun-stranger") === 1);
    await a.secure.connect(b.secure.id, b.secure.address);
    // The list of live ips is made anew each second.
    const again = setInterval(() => raw.send(request, b.secure.address.port, "127.0.0.1"), 50);
    await answered;
    clearInterval(again);
    const { port } = raw.address();
    expect(answers[0]?.subarray(0, 20).toString("hex")).toBe("0101000c2112a442000102030405060708090a0b");
    expect((answers[0]?.readUInt16BE(26) ?? 0) ^ 0x2112).toBe(port);
    expect((answers[0]?.readUInt32BE(28) ?? 0) ^ 0x2112a442).toBe(0x7f000001);
    raw.close();
    await once(raw, "close");
  });
});
