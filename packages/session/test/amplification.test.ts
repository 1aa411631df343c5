import { describe, expect, test } from "@jest/globals";
import { type Address, COOKIE, DATA, FRAME_KIND, HELLO, WELCOME } from "@starling/wire-protocol";
import { counted, frameOf, type Host, linkedPair, seededFraction, VirtualWire } from "./virtual-wire.ts";

// What a forged source can make a table send to it, in bytes with the headers of ip and UDP (28 a datagram for IPv4).

const HEADERS = 28;
const VICTIM: Address = { ip: "192.0.2.66", port: 53 };
const BINDING_REQUEST = Uint8Array.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array(12).keys()]);

function ipBytes(datagrams: readonly { readonly datagram: Uint8Array }[]): number {
  return datagrams.reduce((sum, { datagram }) => sum + datagram.length + HEADERS, 0);
}

/** Forges the victim as the source of a datagram, again and again; what the victim gets, as a ratio. */
function ratioOf(wire: VirtualWire, host: Host, datagram: Uint8Array, times = 50): number {
  const before = wire.sent.length;
  for (let count = 0; count < times; count += 1) {
    wire.inject(host, datagram, VICTIM);
    wire.run(7);
  }
  wire.run(5_000);
  const toVictim = wire.sent.slice(before).filter(({ to }) => to.ip === VICTIM.ip);
  return ipBytes(toVictim) / (times * (datagram.length + HEADERS));
}

/** A Hello for `b` from somebody whom it does not know. */
function strangersHello(wire: VirtualWire, b: Host, index: number): Uint8Array {
  const stranger = wire.addHost(`stranger ${index}`, `198.18.${index}.1`);
  stranger.table.connect(b.id, b.address, wire.now(stranger), { lookup: Uint8Array.of(1), attemptsMs: [0] });
  return stranger.table.flush(wire.now(stranger))[0]?.datagram ?? new Uint8Array(0);
}

/** Datagrams that were on the wire between a and b, one of each kind, after both have exchanged frames. */
function genuine(kind: number): { wire: VirtualWire; a: Host; b: Host; datagram: Uint8Array } {
  const pair = linkedPair(31);
  pair.wire.send(pair.a, pair.b, frameOf(1, 900));
  pair.wire.run(200);
  const { b } = pair;
  const found = pair.wire.sent.findLast(
    ({ datagram, to }) => datagram[0] === kind && (kind !== DATA || to === b.address),
  );
  if (found === undefined) throw new Error("no such datagram");
  return { ...pair, datagram: found.datagram };
}

describe("a forged source gets at most what it is said to have sent", () => {
  test.each([
    ["Hello, replayed", HELLO],
    ["Welcome", WELCOME],
    ["Data, replayed", DATA],
  ])("%s", (_name, kind) => {
    const { wire, a, b, datagram } = genuine(kind);
    for (const host of [a, b]) expect(ratioOf(wire, host, datagram)).toBeLessThanOrEqual(1);
  });

  test("Cookie", () => {
    const wire = new VirtualWire(32);
    const [a, b] = [wire.addHost("a", "198.51.100.1"), wire.addHost("b", "203.0.113.1", { handshakesPerSecond: 1 })];
    wire.inject(b, strangersHello(wire, b, 0), { ip: "198.18.0.1", port: 9 });
    wire.connect(a, b);
    wire.run(500);
    const cookie = wire.sent.find(({ datagram }) => datagram[0] === COOKIE)?.datagram ?? new Uint8Array(0);
    expect(cookie).toHaveLength(37);
    for (const host of [a, b]) expect(ratioOf(wire, host, cookie)).toBe(0);
  });

  test("Hello of strangers, with a Lookup, one after the other and under load", () => {
    const wire = new VirtualWire(33);
    const b = wire.addHost("b", "203.0.113.1");
    const before = wire.sent.length;
    let sentBytes = 0;
    for (let index = 0; index < 120; index += 1) {
      const hello = strangersHello(wire, b, index);
      // Each three times, as a sender does who has no answer.
      for (let again = 0; again < 3; again += 1) wire.inject(b, hello, VICTIM);
      sentBytes += 3 * (hello.length + HEADERS);
      wire.run(3);
    }
    wire.run(15_000);
    const toVictim = wire.sent.slice(before).filter(({ to }) => to.ip === VICTIM.ip);
    const kinds = new Set(toVictim.map(({ datagram }) => datagram[0]));
    expect(kinds).toEqual(new Set([WELCOME, COOKIE]));
    expect(ipBytes(toVictim) / sentBytes).toBeLessThanOrEqual(1);
  });

  test("garbage of every kind and length, and STUN from an ip without a link", () => {
    const { wire, a, b } = linkedPair(34);
    const fraction = seededFraction(34);
    const before = wire.sent.length;
    for (let round = 0; round < 2_000; round += 1) {
      const sizeBytes = [0, 1, 20, 29, 37, 57, 1_200, 1_201][round % 8] ?? 0;
      const datagram = Uint8Array.from({ length: sizeBytes }, () => Math.floor(fraction() * 256));
      datagram.set([[HELLO, WELCOME, COOKIE, DATA, 0x00, 0x16][round % 6] ?? 0].slice(0, sizeBytes));
      wire.inject(round % 3 === 0 ? a : b, datagram, VICTIM);
      wire.inject(b, BINDING_REQUEST, VICTIM);
    }
    expect(wire.sent.slice(before).filter(({ to }) => to.ip === VICTIM.ip)).toEqual([]);
    expect(counted(b, "dropped.stun-stranger")).toBe(2_000);
  });
});

describe("a new address gets at most three times what came from it before it has echoed", () => {
  test.each([
    ["small frames", 20, FRAME_KIND.direct],
    ["frames that fill a datagram", 1_100, FRAME_KIND.direct],
    ["frames in fragments", 40_000, FRAME_KIND.direct],
    ["small frames that are sent once", 1, 0x7f],
  ])("%s, offered all the time", (_name, sizeBytes, kind) => {
    for (const stolenBytes of [20, 500, 1_000]) {
      const { wire, a, b } = linkedPair(35);
      wire.run(100);
      // A datagram of a that b never got, with the victim as its source.
      const held: Uint8Array[] = [];
      wire.drops = ({ datagram }, from) => {
        if (from === a.address) held.push(datagram);
        return true;
      };
      wire.send(a, b, frameOf(1, stolenBytes));
      const stolen = held[0] ?? new Uint8Array(0);
      const before = wire.sent.length;
      wire.inject(b, stolen, VICTIM);
      expect(counted(b, "links.moved")).toBe(1);
      for (let round = 0; round < 300; round += 1) {
        b.table.send(a.id, { kind, body: new Uint8Array(sizeBytes) }, wire.now(b));
        wire.pump(b);
        wire.run(30);
      }
      // A Bye counts too.
      wire.close(b, a);
      wire.run(30_000);
      const toVictim = wire.sent.slice(before).filter(({ to }) => to.ip === VICTIM.ip);
      expect(ipBytes(toVictim)).toBeGreaterThan(0);
      expect(ipBytes(toVictim) / (stolen.length + HEADERS)).toBeLessThanOrEqual(3);
    }
  });
});
