import { beforeAll, describe, expect, test } from "@jest/globals";
import { identityFromSeed, type NodeId } from "@starling/crypto-identity";
import { BLOCK_LIMITS, type BlockLimits, bucketIndex, Membership } from "../src/index.ts";
import { limitedBlock } from "../src/membership/block-limits.ts";
import { CandidatePool } from "../src/membership/candidate-pool.ts";
import { Neighbours } from "../src/membership/neighbours.ts";
import { PeerTable } from "../src/membership/peer-table.ts";
import { at, seededBytes } from "./town.ts";

// PROTOCOL §6: how many of one block may stand where. The crowd has sixty ids at sixty addresses of one block, or of none.

const CROWD = 60;
// The seed is in the second byte and after it: X25519 reads only some bits of the first.
const identity = (seed: number) =>
  identityFromSeed(Uint8Array.from({ length: 32 }, (_, i) => (i === 1 ? seed & 255 : seed >> 8)));
const ASKER = { ip: "127.0.0.1", port: 1 };
const self = identity(4000);
const ids: NodeId[] = [];
beforeAll(() => {
  for (let i = 0; i < CROWD; i += 1) ids.push(identity(i + 1).id);
});

const most = (values: readonly number[]): number => {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(...counts.values());
};
const buckets = (list: Iterable<{ readonly id: NodeId }>): number[] =>
  [...list].map(({ id }) => bucketIndex(self.id, id));

/** What the crowd reaches in each place under these limits. */
function reached(addressOf: (i: number) => string, limits: BlockLimits) {
  const crowd = ids.map((id, i) => ({ id, address: { ip: addressOf(i), port: 4000 } }));
  const table = new PeerTable(self.id, seededBytes(1), limits);
  const pool = new CandidatePool(self.id, limits);
  const neighbours = new Neighbours(self.id, limits.anchors);
  for (const contact of crowd) {
    table.verified(contact, 10, 0);
    pool.hear(contact);
    neighbours.set({
      ...contact,
      ...{ sinceMono: 0, bucket: bucketIndex(self.id, contact.id), block: limitedBlock(contact.address.ip, limits) },
      ...{ dialled: true, keepUntilMono: 0, answeredAt: contact.address, reachable: true },
      ...{ anchoredToUs: false, record: undefined },
    });
  }
  return {
    bucket: most(buckets(table.values())),
    table: table.size,
    answer: table.closest(self.id, 8, ASKER).length,
    anchors: neighbours.anchors().length,
    candidatesInBucket: most(buckets(pool.values())),
    candidates: pool.size,
  };
}

const ofOneV4 = (i: number) => `203.0.113.${i + 1}`;
const ofOneV6 = (i: number) => `2001:db8:7:${i + 1}::1`;
const ofNone = (i: number) => `${20 + i}.1.1.1`;
const loopback = (i: number) => `127.0.0.${i + 1}`;
const privately = (i: number) => `10.0.0.${i + 1}`;

describe("a crowd of one block", () => {
  const kept = { bucket: 2, answer: 2, anchors: 1, candidatesInBucket: 2 };

  test.each<[string, (i: number) => string, Partial<BlockLimits>, Partial<ReturnType<typeof reached>>]>([
    ["a /24, the protocol's limits", ofOneV4, {}, kept],
    ["a /48, the protocol's limits", ofOneV6, {}, kept],
    ["one of a bucket", ofOneV4, { bucket: 1 }, { ...kept, bucket: 1, candidatesInBucket: 1 }],
    ["three of the table", ofOneV4, { table: 3 }, { table: 3, candidates: 3, anchors: 1 }],
    ["one of an answer", ofOneV4, { answer: 1 }, { ...kept, answer: 1 }],
    ["two of the anchors", ofOneV4, { anchors: 2 }, { ...kept, anchors: 2 }],
    ["loopback, exempt by itself", loopback, {}, { answer: 8, anchors: 4 }],
    ["private, exempt by itself", privately, {}, { answer: 8, anchors: 4 }],
    ["private, not exempt", privately, { exempt: ["loopback"] }, kept],
    ["loopback, not exempt", loopback, { exempt: [] }, kept],
    ["public, exempt", ofOneV4, { exempt: ["public"] }, { answer: 8, anchors: 4 }],
  ])("%s", (_name, addressOf, changes, expected) => {
    // Nobody else is there for it to be a part of.
    expect(reached(addressOf, { ...BLOCK_LIMITS, tableFew: 10, ...changes })).toMatchObject(expected);
  });

  test("never holds more of the table than its limit, and exempt it holds what as many blocks would", () => {
    const apart = reached(ofNone, BLOCK_LIMITS);
    expect(reached(ofOneV4, BLOCK_LIMITS).table).toBeLessThanOrEqual(10);
    expect(reached(ofOneV4, BLOCK_LIMITS).candidates).toBeLessThanOrEqual(10);
    expect(reached(ofOneV4, { ...BLOCK_LIMITS, table: 60, tablePart: 1, bucket: 60 }).table).toBe(apart.table);
    expect(reached(loopback, BLOCK_LIMITS)).toEqual(apart);
    expect(apart.table).toBeGreaterThan(20);
  });
});

test("a crowd of one block is a fifth of a table at most, or four of a small one", () => {
  const table = new PeerTable(self.id, seededBytes(1), { ...BLOCK_LIMITS, bucket: 16 });
  const ofCrowd = () =>
    [...table.values()].filter(({ block }) => block === limitedBlock(ofOneV4(0), BLOCK_LIMITS)).length;
  /** All of the crowd try; how many there are then. */
  const crowded = (): number => {
    for (const [i, id] of ids.slice(0, 30).entries())
      table.verified({ id, address: { ip: ofOneV4(i), port: 4000 } }, 10, 0);
    return ofCrowd();
  };
  const held: [number, number][] = [];
  for (const [i, id] of ids.slice(30).entries()) {
    const before = table.size;
    table.verified({ id, address: { ip: ofNone(i), port: 4000 } }, 10, 0);
    if (table.size > before) held.push([table.size - ofCrowd(), crowded()]);
  }
  for (const [others, crowd] of held) expect(crowd).toBe(Math.min(10, Math.max(4, Math.floor(others / 4))));
  expect(held.at(-1)?.[1]).toBeGreaterThan(4);
});

test("a Membership keeps to the limits that it is given", () => {
  const anchorsWith = (blockLimits: Partial<BlockLimits>): number => {
    const bootstrap = ids.slice(0, 8).map((id, i) => ({ id, address: { ip: ofOneV4(i), port: 4000 } }));
    const membership = new Membership(
      {
        ...{ identity: self, network: "town", role: "node", announce: [], maxNeighbours: 64 },
        ...{ bootstrap, blockLimits, random: seededBytes(2) },
      },
      { rttOf: () => 30, isInUse: () => false },
      at(0),
    );
    for (const { id, address } of bootstrap) membership.opened(id, address, true, at(1));
    return membership.anchors().length;
  };
  expect(anchorsWith({})).toBe(1);
  expect(anchorsWith({ anchors: 3 })).toBe(3);
  expect(anchorsWith({ exempt: ["public"] })).toBe(4);
});
