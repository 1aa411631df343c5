import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { encodeBindingAnswer, readBindingRequest } from "../src/stun.ts";
import { counted, eventsOf, frameOf, type Host, linkedPair, type VirtualWire } from "./virtual-wire.ts";

// RFC 5769 §2.2 and §2.3: the addresses, the transaction id and the attribute of its sample answers.
const ID = Buffer.from("b7e7a701bc34d686fa87dfae", "hex");
const GOLDEN: [string, { ip: string; port: number }, string][] = [
  ["IPv4", { ip: "192.0.2.1", port: 32_853 }, "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643"],
  [
    "IPv6",
    { ip: "2001:db8:1234:5678:11:2233:4455:6677", port: 32_853 },
    "010100182112a442b7e7a701bc34d686fa87dfae002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
  ],
];
const REQUEST = Buffer.from(`000100002112a442${ID.toString("hex")}`, "hex");

const ask = (wire: VirtualWire, to: Host, request: Uint8Array, from: { ip: string; port: number }): Uint8Array[] => {
  const before = wire.sent.length;
  wire.inject(to, request, from);
  return wire.sent.slice(before).map(({ datagram }) => datagram);
};

describe("the bytes", () => {
  test.each(GOLDEN)("of an answer over %s", (_name, address, hex) => {
    expect(Buffer.from(encodeBindingAnswer(ID, address)).toString("hex")).toBe(hex);
  });

  test.each([
    ["a bare request", REQUEST, true],
    ["with a SOFTWARE that may be read over", hexRequest("8022000474657374"), true],
    ["with a USERNAME, as a connectivity check has", hexRequest("0006000474657374"), false],
    ["an answer", Buffer.from(GOLDEN[0]?.[2] ?? "", "hex"), false],
    ["another cookie", Buffer.concat([REQUEST.subarray(0, 7), Buffer.of(0), REQUEST.subarray(8)]), false],
    ["a length that is not its own", Buffer.concat([REQUEST, Buffer.alloc(4)]), false],
    ["an attribute longer than the rest", hexRequest("802200ff74657374"), false],
    ["an odd tail", Buffer.concat([REQUEST, Buffer.alloc(1)]), false],
  ])("%s", (_name, request, isTaken) => {
    expect(readBindingRequest(request)?.join()).toBe(isTaken ? ID.join() : undefined);
  });

  test("whatever comes, reading it does not throw", () => {
    const attributes = fc.uint8Array({ maxLength: 60 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), attributes, fc.boolean(), (head, tail, isSound) => {
        const bytes = Uint8Array.from([...(isSound ? REQUEST : head), ...tail]);
        new DataView(bytes.buffer).setUint16(2, tail.length);
        readBindingRequest(bytes);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

describe("the answers", () => {
  test("to an ip with a link, whatever the port; not to one that was left, not to strangers", () => {
    const { wire, a, b } = linkedPair(41);
    const other = { ip: a.address.ip, port: 50_000 };
    expect(ask(wire, b, REQUEST, other)).toEqual([encodeBindingAnswer(ID, other)]);
    expect(ask(wire, b, REQUEST, { ip: "192.0.2.66", port: 9 })).toEqual([]);
    const before = a.address;
    a.address = { ip: "192.0.2.77", port: 4_000 };
    wire.send(a, b, frameOf(1));
    wire.run(2_000);
    expect(eventsOf(b, "moved")).toHaveLength(1);
    expect(ask(wire, b, REQUEST, before)).toEqual([]);
    expect(ask(wire, b, REQUEST, a.address)).toHaveLength(1);
    wire.close(a, b);
    wire.run(2_000);
    expect(ask(wire, b, REQUEST, a.address)).toEqual([]);
    expect([counted(b, "stun.answered"), counted(b, "dropped.stun-stranger")]).toEqual([2, 3]);
  });

  test("five a second and ip", () => {
    const { wire, a, b } = linkedPair(42);
    let answered = 0;
    for (let count = 0; count < 1_000; count += 1) {
      answered += ask(wire, b, REQUEST, { ip: a.address.ip, port: 1 + count }).length;
      wire.run(10);
    }
    // 10 s, and the burst of the first.
    expect(answered).toBeLessThanOrEqual(5 * 10 + 5);
    expect(answered).toBeGreaterThanOrEqual(5 * 10);
    expect(counted(b, "dropped.stun-rate")).toBe(1_000 - answered);
  });

  test("not to an address that a link moved to and has not proved", () => {
    const { wire, a, b } = linkedPair(43);
    const victim = { ip: "192.0.2.66", port: 53 };
    wire.drops = () => true;
    wire.send(a, b, frameOf(1));
    wire.inject(b, wire.sent.at(-1)?.datagram ?? new Uint8Array(0), victim);
    expect(b.table.get(a.id)?.address).toEqual(victim);
    wire.run(2_000);
    expect(ask(wire, b, REQUEST, victim)).toEqual([]);
  });
});

function hexRequest(attributes: string): Buffer {
  const tail = Buffer.from(attributes, "hex");
  const request = Buffer.concat([REQUEST, tail]);
  request.writeUInt16BE(tail.length, 2);
  return request;
}
