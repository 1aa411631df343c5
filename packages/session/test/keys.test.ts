import { describe, expect, test } from "@jest/globals";
import { generateIdentity, type SessionKeys } from "@starling/crypto-identity";
import { createSessionCrypto, type SessionCrypto } from "../src/index.ts";
import { Reassembly, ReassemblyBudget } from "../src/reassembly.ts";
import { counted, frameOf, linkedPair, VirtualWire } from "./virtual-wire.ts";

describe("one key, one counter, once", () => {
  test("over rekeys, restarts, roaming and loss nothing is ever sealed twice under the same pair", () => {
    const wire = new VirtualWire(51, { loss: 0.15, delayMs: 30, jitterMs: 25, duplication: 0.05 });
    const used = new Set<string>();
    let keyCount = 0;
    let sealed = 0;
    // Keys are told apart by the object that seals with them: each handshake makes its own.
    const watched = (keys: SessionKeys): SessionKeys => {
      keyCount += 1;
      const name = keyCount;
      return {
        ...keys,
        send: {
          ...keys.send,
          seal(counter, associatedData, plaintext) {
            sealed += 1;
            used.add(`${name}:${counter}`);
            return keys.send.seal(counter, associatedData, plaintext);
          },
        },
      };
    };
    const watching = (): SessionCrypto => {
      const identity = generateIdentity(wire.random);
      const crypto = createSessionCrypto({ identity, network: "test", random: wire.random });
      return {
        ...crypto,
        initiate(peer, payload) {
          const initiation = crypto.initiate(peer, payload);
          const finish = (message: Uint8Array) => {
            const finished = initiation.finish(message);
            return finished && { ...finished, keys: watched(finished.keys) };
          };
          return { message: initiation.message, finish };
        },
        respond(message) {
          const response = crypto.respond(message);
          if (response === undefined) return undefined;
          const respond = (payload: Uint8Array) => {
            const written = response.respond(payload);
            return { ...written, keys: watched(written.keys) };
          };
          return { ...response, respond };
        },
      };
    };
    const limits = { rekeyAfterMessages: 200 };
    const [a, b] = [
      wire.addHost("a", "198.51.100.1", limits, watching()),
      wire.addHost("b", "203.0.113.1", limits, watching()),
    ];
    for (let round = 0; round < 40; round += 1) {
      if (round % 10 === 3) a.table = wire.newTable(a.crypto, limits);
      if (round % 10 === 7) b.table = wire.newTable(b.crypto, limits);
      if (round % 10 === 5) a.address = { ip: `198.51.${round}.1`, port: 4_000 };
      wire.connect(round % 2 === 0 ? a : b, round % 2 === 0 ? b : a);
      for (let serial = 0; serial < 150; serial += 1) {
        wire.send(a, b, frameOf(serial, 1_000));
        wire.send(b, a, frameOf(serial, 1_000));
      }
      wire.run(10_000);
    }
    expect(keyCount).toBeGreaterThan(80);
    expect(sealed).toBeGreaterThan(10_000);
    expect(used.size).toBe(sealed);
  });
});

describe("rates by link", () => {
  test("what a link may have opened a second is bounded, before anything is decrypted", () => {
    const { wire, a, b } = linkedPair(52);
    const limited = wire.newTable(b.crypto, { datagramsPerSecondLink: 100 });
    b.table = limited;
    wire.connect(a, b);
    wire.run(3_000);
    const before = b.events.length;
    const from = wire.sent.length;
    wire.drops = (_transmit, sender) => sender === a.address;
    for (let serial = 0; serial < 500; serial += 1) {
      a.table.send(b.id, { kind: 0x7f, body: new Uint8Array(1_000) }, wire.now(a));
      wire.pump(a);
      wire.mono += 1;
    }
    for (const { datagram } of wire.sent.slice(from)) wire.inject(b, datagram, a.address);
    expect(b.events.length - before).toBeLessThanOrEqual(101);
    expect(counted(b, "dropped.link-rate")).toBeGreaterThanOrEqual(399);
    // What was dropped by rate moved no window: a second later the same datagrams are taken.
    wire.mono += 1_000;
    const again = wire.sent.at(-1)?.datagram ?? new Uint8Array(0);
    expect(wire.inject(b, again, a.address)).toHaveLength(1);
  });

  test("garbage with a link's index takes nothing from it", () => {
    const { wire, a, b } = linkedPair(53);
    wire.send(a, b, frameOf(1));
    const forged = (wire.sent.at(-1)?.datagram ?? new Uint8Array(0)).slice();
    forged[20] = (forged[20] ?? 0) ^ 1;
    for (let count = 0; count < 40_000; count += 1) b.table.receive(forged, a.address, wire.now(b));
    expect(counted(b, "dropped.undecryptable")).toBe(40_000);
    expect(counted(b, "dropped.link-rate")).toBe(0);
  });

  test("strangers who brought a cookie are bounded in all, and running links go on", () => {
    const wire = new VirtualWire(54, { delayMs: 1 });
    const limits = { handshakesPerSecond: 2, provedHandshakesPerSecond: 10 };
    const b = wire.addHost("b", "203.0.113.1", limits);
    const others = Array.from({ length: 60 }, (_, index) => wire.addHost(`h${index}`, `198.51.${index}.1`));
    for (const other of others) wire.connect(other, b, { attemptsMs: [0] });
    wire.run(900);
    expect(b.table.sessions()).toHaveLength(12);
    expect(counted(b, "dropped.rate-limited")).toBe(48);
  });
});

test("100,000 first fragments that nothing follows hold 8 MiB at most, and nothing 10 s later", () => {
  const budget = new ReassemblyBudget(8 * 1024 * 1024);
  const links = Array.from({ length: 25_000 }, () => new Reassembly(budget));
  const piece = new Uint8Array(1_164).fill(1);
  piece.set([0, 64]);
  let held = 0;
  for (const link of links) {
    for (let frame = 0; frame < 4; frame += 1) if (link.offer(frame * 64, piece, frame).type === "held") held += 1;
  }
  expect(held).toBe(128);
  expect(budget.usedBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
  let expired = 0;
  for (const link of links) expired += link.expire(10_003);
  expect([expired, budget.usedBytes]).toEqual([128, 0]);
});
