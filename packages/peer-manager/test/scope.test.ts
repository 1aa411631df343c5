import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { generateIdentity, identityFromSeed } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import fc from "fast-check";
import {
  acceptedCandidates,
  acceptsContact,
  BLOCK_LIMITS,
  blockOf,
  bucketIndex,
  compareDistance,
  scopeOf,
  sortByDistance,
} from "../src/index.ts";
import { limitedBlock } from "../src/membership/block-limits.ts";
import { PeerTable } from "../src/membership/peer-table.ts";

const at = (ip: string): Address => ({ ip, port: 4000 });

describe("scope of an ip", () => {
  test.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.32.0.1", "public"],
    ["192.168.255.255", "private"],
    ["100.64.0.1", "private"],
    ["fd00::1", "private"],
    ["192.0.2.1", "public"],
    ["203.0.113.10", "public"],
    ["8.8.8.8", "public"],
    ["2001:db8::1", "public"],
    ["2606:4700::1", "public"],
    ["0.0.0.0", "never"],
    ["::", "never"],
    ["169.254.1.1", "never"],
    ["fe80::1", "never"],
    ["224.0.0.1", "never"],
    ["239.255.255.250", "never"],
    ["ff02::1", "never"],
    ["255.255.255.255", "never"],
    ["240.0.0.1", "never"],
    ["example.org", "never"],
  ])("%s is %s", (ip, scope) => {
    expect(scopeOf(ip)).toBe(scope);
  });
});

describe("contacts by who names them", () => {
  test.each([
    // named,         session address of the peer, believed
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "192.168.1.2", false],
    ["127.0.0.1", "203.0.113.1", false],
    ["::1", "203.0.113.1", false],
    ["192.168.1.9", "192.168.7.1", true],
    ["192.168.1.9", "10.0.0.1", false],
    ["192.168.1.9", "203.0.113.1", false],
    ["192.168.1.9", "127.0.0.1", true],
    ["100.64.1.1", "100.65.1.1", true],
    ["fd00::1", "fd12::1", true],
    ["203.0.113.9", "127.0.0.1", true],
    ["203.0.113.9", "203.0.113.1", true],
    ["224.0.0.1", "203.0.113.1", false],
    ["255.255.255.255", "127.0.0.1", false],
    ["169.254.0.1", "169.254.0.2", false],
  ])("%s named by a peer at %s: %s", (named, peer, believed) => {
    expect(acceptsContact(at(named), at(peer))).toBe(believed);
  });
});

describe("candidates of an Offer", () => {
  const offered = [at("127.0.0.1"), at("192.168.1.9"), at("203.0.113.9"), at("224.0.0.1")];
  const ips = (addresses: Address[]) => addresses.map(({ ip }) => ip);
  test.each([
    ["no links, no session", { linkAddresses: [], observedIp: undefined, authorAddress: undefined }, ["203.0.113.9"]],
    [
      "all our links on loopback",
      { linkAddresses: [at("127.0.0.1")], observedIp: undefined, authorAddress: undefined },
      ["127.0.0.1", "192.168.1.9", "203.0.113.9"],
    ],
    [
      "all our links private",
      { linkAddresses: [at("192.168.1.1"), at("10.0.0.1")], observedIp: undefined, authorAddress: undefined },
      ["192.168.1.9", "203.0.113.9"],
    ],
    [
      "one public link",
      { linkAddresses: [at("127.0.0.1"), at("203.0.113.1")], observedIp: undefined, authorAddress: undefined },
      ["203.0.113.9"],
    ],
    [
      "it names our own public ip: we share a NAT",
      { linkAddresses: [at("203.0.113.1")], observedIp: "203.0.113.9", authorAddress: undefined },
      ["192.168.1.9", "203.0.113.9"],
    ],
    [
      "a session with its author on loopback",
      { linkAddresses: [at("203.0.113.1")], observedIp: undefined, authorAddress: at("127.0.0.1") },
      ["127.0.0.1", "192.168.1.9", "203.0.113.9"],
    ],
    [
      "a session with its author elsewhere",
      { linkAddresses: [at("127.0.0.1")], observedIp: "203.0.113.9", authorAddress: at("198.51.100.1") },
      ["203.0.113.9"],
    ],
  ])("%s", (_name, context, expected) => {
    expect(ips(acceptedCandidates(offered, context))).toEqual(expected);
  });
});

describe("blocks", () => {
  test("a /24 and a /48 are blocks; loopback and private addresses are exempt from their limits", () => {
    expect(blockOf("203.0.113.7")).toBe(blockOf("203.0.113.200"));
    expect(blockOf("203.0.113.7")).not.toBe(blockOf("203.0.114.7"));
    expect(blockOf("2001:db8:1:2::1")).toBe(blockOf("2001:db8:1:3::1"));
    expect(blockOf("2001:db8:1::1")).not.toBe(blockOf("2001:db8:2::1"));
    expect(limitedBlock("203.0.113.7", BLOCK_LIMITS)).toBe(blockOf("203.0.113.7"));
    expect(limitedBlock("127.0.0.1", BLOCK_LIMITS)).toBeUndefined();
    expect(limitedBlock("10.0.0.1", BLOCK_LIMITS)).toBeUndefined();
    expect(blockOf("224.0.0.1")).toBeUndefined();
  });

  test("private networks are told apart by their range", () => {
    expect(acceptsContact(at("10.1.2.3"), at("10.9.9.9"))).toBe(true);
    expect(acceptsContact(at("10.1.2.3"), at("172.16.0.1"))).toBe(false);
    expect(acceptsContact(at("10.1.2.3"), at("203.0.113.1"))).toBe(false);
  });
});

describe("distance", () => {
  const ids = Array.from({ length: 8 }, (_, i) => identityFromSeed(new Uint8Array(32).fill(i + 1)).id);
  const big = (id: NodeId) => BigInt(`0x${id}`);

  test("orders as the integers of the hex as written do", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.constantFrom(...ids), fc.constantFrom(...ids), (target, a, b) => {
        const difference = (big(target) ^ big(a)) - (big(target) ^ big(b));
        expect(Math.sign(compareDistance(target, a, b))).toBe(difference === 0n ? 0 : difference < 0n ? -1 : 1);
        expect(bucketIndex(a, b)).toBe((big(a) ^ big(b)).toString(2).length - (a === b ? 2 : 1));
      }),
      { seed: 1 },
    );
    const [target = ids[0] as NodeId] = ids;
    const sorted = sortByDistance(
      target,
      ids.map((id) => ({ id })),
    );
    expect(sorted[0]?.id).toBe(target);
  });
});

describe("peer table under ids of one block", () => {
  const self = identityFromSeed(new Uint8Array(32).fill(99)).id;
  let counter = 0;
  const anyId = () =>
    generateIdentity((sizeBytes) => {
      counter += 1;
      return Uint8Array.from({ length: sizeBytes }, (_, i) => (counter * 31 + i * 7 + (counter >> 8)) & 0xff);
    }).id;

  test("at most 10 of a /24 in the table, 2 in a bucket and 2 in an answer; refreshing one is no second place", () => {
    const table = new PeerTable(self, (sizeBytes) => new Uint8Array(sizeBytes));
    for (let i = 0; i < 300; i += 1) table.verified({ id: anyId(), address: at("203.0.113.66") }, undefined, i);
    expect(table.size).toBeLessThanOrEqual(10);
    const perBucket = new Map<number, number>();
    for (const { id } of table.values()) {
      const bucket = bucketIndex(self, id);
      perBucket.set(bucket, (perBucket.get(bucket) ?? 0) + 1);
    }
    expect(Math.max(...perBucket.values())).toBeLessThanOrEqual(2);
    const [first] = table.values();
    if (first === undefined) throw new Error("the table is empty");
    expect(table.verified(first, undefined, 999)).toBe(true);
    expect(table.closest(self, 8, at("198.51.100.1"))).toHaveLength(2);
  });

  test("no bucket grows beyond 16, and an asker is told only what its scope allows", () => {
    const table = new PeerTable(self, (sizeBytes) => new Uint8Array(sizeBytes));
    for (let i = 0; i < 300; i += 1) table.verified({ id: anyId(), address: at("127.0.0.1") }, undefined, i);
    const perBucket = new Map<number, number>();
    for (const { id } of table.values())
      perBucket.set(bucketIndex(self, id), (perBucket.get(bucketIndex(self, id)) ?? 0) + 1);
    expect(Math.max(...perBucket.values())).toBe(16);
    expect(table.closest(self, 8, at("198.51.100.1"))).toEqual([]);
    expect(table.closest(self, 8, at("127.0.0.1"))).toHaveLength(8);
  });
});
