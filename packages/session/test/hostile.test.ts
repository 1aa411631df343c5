import { describe, expect, test } from "@jest/globals";
import { generateIdentity, type SessionKeys } from "@starling/crypto-identity";
import { DATA, encodeAck, FRAME_KIND, HELLO, type NumberedFrame, WELCOME, writeFrame } from "@starling/wire-protocol";
import fc from "fast-check";
import { createSessionCrypto, type SessionCrypto, type SessionTable } from "../src/index.ts";
import {
  counted,
  eventsOf,
  frameOf,
  type Host,
  linkedPair,
  seededFraction,
  serials,
  VirtualWire,
} from "./virtual-wire.ts";

const STRANGER = { ip: "192.0.2.66", port: 99 };

function snapshot(host: Host): string {
  return JSON.stringify([host.table.sessions(), host.table.nextDeadline(), host.events.length]);
}

function dropsOf(host: Host): number {
  let sum = 0;
  for (const [name, value] of host.table.counters) if (name.startsWith("dropped.")) sum += value;
  return sum;
}

describe("datagrams from strangers", () => {
  test("mutated, truncated and foreign datagrams of every kind are counted and change nothing", () => {
    const { wire, a, b } = linkedPair(1);
    wire.send(a, b, frameOf(1, 5_000), 1);
    wire.run(200);
    const genuine = wire.sent.map((sent) => sent.datagram);
    expect(new Set(genuine.map((datagram) => datagram[0]))).toEqual(new Set([HELLO, WELCOME, DATA]));
    const before = [a, b].map(snapshot);
    const fraction = seededFraction(99);
    let taken = 0;
    for (let round = 0; round < 3_000; round += 1) {
      const original = genuine[Math.floor(fraction() * genuine.length)] ?? new Uint8Array(0);
      const mutated = original.slice(0, fraction() < 0.3 ? Math.floor(fraction() * original.length) : original.length);
      // Bytes 1-4 of Hello and Welcome name the sender's index, which the handshake does not cover; the rest is bound.
      const at = Math.floor(fraction() * mutated.length);
      if (mutated.length === original.length) mutated[at] = (mutated[at] ?? 0) ^ (1 << Math.floor(fraction() * 8));
      const host = fraction() < 0.5 ? a : b;
      const dropsBefore = dropsOf(host) + counted(host, "cookies.sent");
      expect(host.table.receive(mutated, STRANGER, wire.now(host))).toEqual([]);
      if (dropsOf(host) + counted(host, "cookies.sent") === dropsBefore) taken += 1;
      host.table.flush(wire.now(host));
    }
    expect(taken).toBe(0);
    expect([a, b].map(snapshot)).toEqual(before);
  });

  test("random bytes never throw, whatever their source", () => {
    const { wire, a } = linkedPair(2);
    const before = snapshot(a);
    const kind = fc.constantFrom(0x50, 0x51, 0x52, 0x53, 0x16, 0);
    const address = fc.record({
      ip: fc.constantFrom("192.0.2.1", "2001:db8::1", "::", "255.255.255.255"),
      port: fc.nat(65_535),
    });
    fc.assert(
      fc.property(kind, fc.uint8Array({ maxLength: 1_250 }), address, (first, bytes, from) => {
        bytes[0] = first;
        expect(a.table.receive(bytes, from, wire.now(a))).toEqual([]);
        a.table.flush(wire.now(a));
      }),
      { seed: 2, numRuns: 500 },
    );
    expect(snapshot(a)).toBe(before);
  });

  test.each([
    { ip: "192.0.2.66", port: 0 },
    { ip: "0.0.0.0", port: 9 },
    { ip: "0.1.2.3", port: 9 },
    { ip: "224.0.0.251", port: 9 },
    { ip: "239.255.255.250", port: 9 },
    { ip: "255.255.255.255", port: 9 },
    { ip: "::", port: 9 },
    { ip: "ff02::1", port: 9 },
    { ip: "ff0e::1:2", port: 9 },
  ])("a genuine Hello from $ip:$port is dropped", (from) => {
    const wire = new VirtualWire(3);
    const [a, b] = [wire.addHost("a", "198.51.100.1"), wire.addHost("b", "203.0.113.1")];
    wire.connect(a, b);
    expect(wire.inject(b, wire.sent[0]?.datagram ?? new Uint8Array(0), from)).toEqual([]);
    expect(counted(b, "dropped.bad-source")).toBe(1);
    expect(wire.sent).toHaveLength(1);
  });

  test("10,000 strangers that each finish a handshake leave no more than the limits allow", () => {
    const limits = { links: 50, unconfirmed: 20, timestamps: 100, buckets: 200 };
    const wire = new VirtualWire(4, { delayMs: 0 });
    const crypto = nullCrypto();
    const b = wire.addHost("b", "203.0.113.1", limits, crypto.make());
    let confirmed = 0;
    for (let index = 0; index < 10_000; index += 1) {
      const own = crypto.make();
      const stranger = wire.newTable(own);
      const from = { ip: `${1 + (index % 200)}.${(index >> 8) & 255}.${index & 255}.1`, port: 9 };
      const now = wire.now(b);
      stranger.connect(b.id, b.address, now, { attemptsMs: [0] });
      let toServer = stranger.flush(now);
      for (let step = 0; step < 3 && toServer.length > 0; step += 1) {
        const answers = toServer.flatMap(({ datagram }) => {
          b.table.receive(datagram, from, now);
          return b.table.flush(now).filter((sent) => sent.to === from);
        });
        for (const { datagram } of answers) stranger.receive(datagram, b.address, now);
        // A third of them never confirms.
        toServer = index % 3 === 0 && stranger.sessions().length > 0 ? [] : stranger.flush(now);
        if (stranger.sessions().length > 0) confirmed += 1;
      }
      wire.mono += 1;
    }
    expect(confirmed).toBeGreaterThan(100);
    expect(b.table.sessions()).toHaveLength(50);
    expect(counted(b, "dropped.table-full")).toBeGreaterThan(500);
    wire.run(300_000);
    expect(b.table.sessions()).toEqual([]);
    expect(b.table.nextDeadline()).toBeNull();
  });

  test.each([
    ["one address", 1],
    ["1,024 addresses", 1_024],
  ])("5,000 Hellos a second of ever new keys from %s: few cost a DH, and an honest newcomer gets in", (_name, ips) => {
    const wire = new VirtualWire(15, { delayMs: 10 });
    const crypto = nullCrypto();
    const b = wire.addHost("b", "203.0.113.1", {}, crypto.make());
    const newcomer = wire.addHost("newcomer", "192.0.2.200", {}, crypto.make());
    const seconds = 2;
    const started = wire.mono;
    for (let index = 0; index < 5_000 * seconds; index += 1) {
      wire.run(started + index / 5 - wire.mono);
      const forger = wire.newTable(crypto.make());
      forger.connect(b.id, b.address, wire.now(b), { attemptsMs: [0] });
      const from = { ip: `198.${18 + ((index % ips) >> 8)}.${index & (ips - 1) & 255}.1`, port: 9 };
      for (const { datagram } of forger.flush(wire.now(b))) wire.inject(b, datagram, from);
      if (index === 5_000) wire.connect(newcomer, b);
    }
    // es and ss to read one, ee and se to answer it.
    expect((4 * counted(b, "handshakes.answered")) / seconds).toBeLessThanOrEqual(200);
    expect(b.table.get(newcomer.id)).toBeDefined();
  });

  test("an own dial that succeeds takes the place of the stalest link of a full table", () => {
    const wire = new VirtualWire(5);
    const b = wire.addHost("b", "203.0.113.1", { links: 2 });
    const others = [1, 2, 3].map((index) => wire.addHost(`h${index}`, `198.51.${index}.1`));
    for (const other of others) {
      wire.connect(b, other);
      wire.run(1_000);
    }
    expect(eventsOf(b, "closed").map((event) => [event.peer, event.reason])).toEqual([[others[0]?.id, "evicted"]]);
    expect(b.table.sessions().map((session) => session.peer)).toEqual(others.slice(1).map((other) => other.id));
  });
});

/** Cheap stand-in: no secrecy at all, but a message of one pair of indexes opens for no other. */
function nullCrypto(): { make(): SessionCrypto } {
  const random = new VirtualWire(77).random;
  const keys = (): SessionKeys => {
    const aead = {
      seal: (_counter: number, _data: Uint8Array, plaintext: Uint8Array) =>
        Uint8Array.from([...plaintext, ...new Uint8Array(16)]),
      open: (_counter: number, _data: Uint8Array, ciphertext: Uint8Array) => ciphertext.slice(0, -16),
    };
    return { send: aead, receive: aead, handshakeHash: new Uint8Array(32) };
  };
  const real = createSessionCrypto({ identity: generateIdentity(random), network: "null", random });
  return {
    make() {
      const { id } = generateIdentity(random);
      return {
        id,
        mac: real.mac,
        hash: real.hash,
        initiate: (_responder, payload) => ({
          message: Uint8Array.from([...Buffer.from(id, "hex"), ...new Uint8Array(64), ...payload]),
          finish: (message) => ({ payload: message.slice(48), keys: keys() }),
        }),
        respond: (message) => ({
          initiator: Buffer.from(message.subarray(0, 32)).toString("hex") as typeof id,
          payload: message.slice(96),
          respond: (payload) => ({ message: Uint8Array.from([...new Uint8Array(48), ...payload]), keys: keys() }),
        }),
      };
    },
  };
}

/** A peer under the test's own control: it has finished a handshake with a table and may send it any frames. */
function rawPeer(seed: number): {
  table: SessionTable;
  push(frames: readonly NumberedFrame[]): ReturnType<SessionTable["receive"]>;
  wire: VirtualWire;
  answers(): number;
} {
  const wire = new VirtualWire(seed);
  let keys: SessionKeys | undefined;
  const inner = createSessionCrypto({ identity: generateIdentity(wire.random), network: "test", random: wire.random });
  const spying: SessionCrypto = {
    ...inner,
    initiate(responder, payload) {
      const initiation = inner.initiate(responder, payload);
      return {
        message: initiation.message,
        finish(message) {
          const finished = initiation.finish(message);
          keys = finished?.keys;
          return finished;
        },
      };
    },
  };
  const peer = wire.addHost("peer", "198.51.100.1", {}, spying);
  const victim = wire.addHost("victim", "203.0.113.1");
  wire.connect(peer, victim);
  wire.run(1_000);
  const last = wire.sent.filter((sent) => sent.from === peer.address).at(-1)?.datagram ?? new Uint8Array(0);
  let counter = 1_000;
  const push = (frames: readonly NumberedFrame[]) => {
    const plaintext = new Uint8Array(1_171);
    let at = 0;
    for (const frame of frames) at = writeFrame(plaintext, at, frame);
    const header = last.slice(0, 13);
    new DataView(header.buffer).setUint32(9, counter);
    const ciphertext = keys?.send.seal(counter, header, plaintext.subarray(0, at)) ?? new Uint8Array(0);
    counter += 1;
    return victim.table.receive(Uint8Array.from([...header, ...ciphertext]), peer.address, wire.now(victim));
  };
  const answers = () => victim.table.flush(wire.now(victim)).reduce((sum, sent) => sum + sent.datagram.length, 0);
  return { table: victim.table, push, wire, answers };
}

function numbered(kind: number, number: number | undefined, ...body: number[]): NumberedFrame {
  return { kind, number, body: Uint8Array.from(body) };
}

describe("frames from an authenticated peer that lies", () => {
  test("random frames never throw and never end the link", () => {
    const peer = rawPeer(6);
    const frame = fc.record({
      kind: fc
        .oneof(fc.nat(255), fc.constantFrom(...Object.values(FRAME_KIND)))
        .filter((kind) => kind !== FRAME_KIND.bye),
      number: fc.oneof(fc.nat(600), fc.nat(2 ** 32 - 1)),
      body: fc.uint8Array({ maxLength: 80 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
        peer.push(frames.map(({ kind, number, body }) => ({ kind, number: kind >= 0x80 ? number : undefined, body })));
        peer.answers();
      }),
      { seed: 6, numRuns: 800 },
    );
    expect(peer.table.sessions()).toHaveLength(1);
  });

  test("an Ack for numbers that never were is dropped", () => {
    const peer = rawPeer(7);
    const ack = encodeAck({ lowest: 5, bitmap: Uint8Array.of(1) });
    expect(peer.push([numbered(FRAME_KIND.ack, undefined, ...ack)])).toEqual([]);
    expect(peer.table.counters.get("dropped.ack")).toBe(1);
  });

  test("a number beyond the window of 4096 is neither taken nor acknowledged", () => {
    const peer = rawPeer(8);
    expect(peer.push([numbered(FRAME_KIND.direct, 4_096, 1)])).toEqual([]);
    expect(peer.push([numbered(FRAME_KIND.direct, 4_095, 2)])).toHaveLength(1);
    expect(peer.push([numbered(FRAME_KIND.direct, 4_095, 2)])).toEqual([]);
    expect(peer.push([numbered(FRAME_KIND.direct, 2 ** 32 - 1, 2)])).toEqual([]);
    expect(peer.table.counters.get("dropped.frame-beyond-window")).toBe(1);
    expect(peer.table.counters.get("dropped.frame-repeated")).toBe(2);
  });

  test("a datagram full of Pings is answered by two Pongs", () => {
    const peer = rawPeer(9);
    peer.answers();
    peer.push(Array.from({ length: 100 }, () => numbered(FRAME_KIND.ping, undefined, ...new Uint8Array(8))));
    expect(peer.answers()).toBe(29 + 2 * (3 + 9));
    expect(peer.table.counters.get("dropped.ping")).toBe(98);
  });

  test("half frames are held within the budget of the link and dropped after 10 s without progress", () => {
    const peer = rawPeer(10);
    for (let base = 0; base < 10; base += 1) peer.push([numbered(FRAME_KIND.fragment, base * 64, 0, 64, 0x84, 1)]);
    expect(peer.table.counters.get("dropped.fragment-no-room")).toBe(6);
    peer.wire.run(11_000);
    expect(peer.table.counters.get("dropped.fragment-expired")).toBe(4);
    // The rest of a dropped one is not acknowledged, so its sender learns of it.
    peer.push([numbered(FRAME_KIND.fragment, 1, 1, 64, 1)]);
    expect(peer.table.counters.get("dropped.fragment-no-room")).toBe(7);
    // A Skip takes its place.
    expect(peer.push([numbered(FRAME_KIND.skip, 1)])).toEqual([]);
    expect(peer.table.counters.get("dropped.fragment-no-room")).toBe(7);
  });

  test("fragments that contradict each other make no frame, and a session's own kind hides in none", () => {
    const peer = rawPeer(11);
    const fragment = (number: number, ...body: number[]) => peer.push([numbered(FRAME_KIND.fragment, number, ...body)]);
    fragment(0, 0, 3, 0x84);
    expect(fragment(1, 1, 2, 5)).toEqual([]);
    expect(fragment(2, 9, 3, 5)).toEqual([]);
    expect(fragment(3, 0, 1, 5)).toEqual([]);
    expect(fragment(4, 0, 65, 5)).toEqual([]);
    expect(fragment(5)).toEqual([]);
    expect(peer.table.counters.get("dropped.fragment")).toBe(5);
    fragment(10, 0, 2, FRAME_KIND.bye);
    expect(fragment(11, 1, 2, 0)).toEqual([]);
    fragment(20, 0, 2, 0x84);
    expect(fragment(21, 1, 2, 7)).toMatchObject([{ type: "frame", frame: { kind: 0x84, body: Uint8Array.of(7) } }]);
    expect(peer.table.sessions()).toHaveLength(1);
  });

  test("a datagram whose tail is malformed brings nothing, not even its head", () => {
    const peer = rawPeer(12);
    const frames = [
      numbered(FRAME_KIND.direct, 0, 1),
      { kind: FRAME_KIND.have, number: undefined, body: new Uint8Array(0) },
    ];
    expect(peer.push(frames)).toHaveLength(2);
    const broken: NumberedFrame = { kind: FRAME_KIND.direct, number: undefined, body: Uint8Array.of(0, 0) };
    expect(peer.push([numbered(FRAME_KIND.direct, 1, 1), broken])).toEqual([]);
    expect(peer.table.counters.get("dropped.malformed-frames")).toBe(1);
  });
});

test("limits that are no positive integers are refused", () => {
  const wire = new VirtualWire(13);
  const { crypto } = wire.addHost("a", "198.51.100.1");
  for (const links of [0, -1, 1.5, Number.NaN]) {
    expect(() => wire.newTable(crypto, { links })).toThrow(expect.objectContaining({ code: "E_BAD_LIMIT" }));
  }
});

test("a repeated Data is dropped once, late ones within the window are taken", () => {
  const { wire, a, b } = linkedPair(14);
  wire.run(100);
  const from = wire.sent.length;
  wire.drops = (_transmit, sender) => sender === a.address;
  for (let serial = 0; serial < 10; serial += 1) {
    a.table.send(b.id, frameOf(serial, 1_000), wire.now(a));
    wire.pump(a);
  }
  const datagrams = wire.sent.slice(from).map((sent) => sent.datagram);
  for (const datagram of [...datagrams].reverse()) wire.inject(b, datagram, a.address);
  expect(serials(b)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  for (const datagram of datagrams) wire.inject(b, datagram, a.address);
  expect(counted(b, "dropped.replay")).toBe(10);
  expect(serials(b)).toHaveLength(10);
});
