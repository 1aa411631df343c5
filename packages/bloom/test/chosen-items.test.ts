// What the key is for: an attacker who chooses items with the filter's positions in hand, and one without. A filter whose key is
// known stands for one that has none; a textbook filter without a key falls to the same attack.
import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { BitSlice, sliceSize } from "../src/bit-slice.ts";
import { BloomFilter, RotatingFilter, ScalableBloomFilter } from "../src/index.ts";
import { ItemHasher } from "../src/item-hasher.ts";

const knownKey = new Uint8Array(16);
const secretKeys = Array.from({ length: 100 }, (_, index) => new Uint8Array(16).fill(index + 1).fill(0x5a, 8));
const size = { capacity: 2000, errorRate: 0.001 };
const { bits, positions } = sliceSize(size.capacity, size.errorRate);
const victim = new TextEncoder().encode("the message to be censored");

/** Item n of the attacker's endless supply. */
function candidate(index: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, index);
  return bytes;
}

const hasher = new ItemHasher(knownKey);

/** The words of a filter without a key: those of a SHA-256, which anybody can work out. */
function publicWords(item: Uint8Array): Int32Array {
  const digest = createHash("sha256").update(item).digest();
  return Int32Array.of(digest.readInt32LE(0), digest.readInt32LE(4));
}

/** Where an item's bits are under the known key, as the attacker works it out from the source. */
function positionsOf(item: Uint8Array, wordsOf = (bytes: Uint8Array) => hasher.hash(bytes)): number[] {
  const [x = 0, y = 0] = wordsOf(item);
  const z = Math.imul(x ^ ((y << 16) | (y >>> 16)), 0x9e3779b9);
  return Array.from({ length: positions }, (_, i) => {
    const sum = (x + Math.imul(i, y) + Math.imul((i * (i - 1)) / 2, z)) >>> 0;
    return Math.floor((sum / 2 ** 32) * bits);
  });
}

/** Items that together cover each position of the victim, and how many had to be looked at. */
function grindAgainst(item: Uint8Array, wordsOf?: typeof publicWords): { items: Uint8Array[]; tries: number } {
  const open = new Set(positionsOf(item, wordsOf));
  const items: Uint8Array[] = [];
  let tries = 0;
  for (; open.size > 0; tries += 1) {
    const tried = candidate(tries);
    const hits = positionsOf(tried, wordsOf).filter((position) => open.delete(position));
    if (hits.length > 0) items.push(tried);
  }
  return { items, tries };
}

/** A filter's worth of items, each the one of 24 that sets most bits not set before. */
function grindToFill(): Uint8Array[] {
  const set = new Set<number>();
  return Array.from({ length: size.capacity }, (_, turn) => {
    let best: readonly number[] = [];
    let chosen = candidate(0);
    for (let index = 24 * turn; index < 24 * turn + 24; index += 1) {
      const fresh = positionsOf(candidate(index)).filter((position) => !set.has(position));
      if (fresh.length <= best.length) continue;
      best = fresh;
      chosen = candidate(index);
    }
    for (const position of best) set.add(position);
    return chosen;
  });
}

function filterOf(key: Uint8Array, items: readonly Uint8Array[]): BloomFilter {
  const filter = new BloomFilter({ ...size, key });
  for (const item of items) filter.add(item);
  return filter;
}

function errorRateOf(filter: BloomFilter, probes: number): number {
  let found = 0;
  for (let index = 0; index < probes; index += 1) {
    if (filter.has(candidate(2 ** 31 + index))) found += 1;
  }
  return found / probes;
}

describe("censoring one item", () => {
  const { items, tries } = grindAgainst(victim);

  test("succeeds with a handful of items where there is no key, and not where there is one", () => {
    const ground = grindAgainst(victim, publicWords).items;
    const unkeyed = new BitSlice({ bits, positions });
    for (const item of ground) unkeyed.add(publicWords(item));
    expect(ground.length).toBeLessThanOrEqual(positions);
    expect(unkeyed.has(publicWords(victim))).toBe(true);
    expect(secretKeys.filter((key) => filterOf(key, ground).has(victim))).toEqual([]);
  });

  test("succeeds with a handful of items where the key is known", () => {
    expect(items.length).toBeLessThanOrEqual(positions);
    expect(tries).toBeLessThan(50_000);
    expect(filterOf(knownKey, items).has(victim)).toBe(true);
  });

  test("fails under each of a hundred secret keys", () => {
    expect(secretKeys.filter((key) => filterOf(key, items).has(victim))).toEqual([]);
  });

  const capacities = { initialCapacity: size.capacity, maxCapacity: size.capacity };

  test("is no different with a scalable filter", () => {
    const isCensored = (key: Uint8Array): boolean => {
      const filter = new ScalableBloomFilter({ ...capacities, errorRate: size.errorRate, key });
      for (const item of items) filter.add(item);
      return filter.has(victim);
    };
    expect(isCensored(knownKey)).toBe(true);
    expect(secretKeys.filter(isCensored)).toEqual([]);
  });

  test("is no different with a rotating filter", () => {
    // Two generations share the rate: twice that of the filter above gives each of them the same size.
    const errorRate = 2 * size.errorRate;
    const isCensored = (key: Uint8Array): boolean => {
      const filter = new RotatingFilter({ ...capacities, errorRate, rotationMs: 1000, nowMs: 0, key });
      for (const item of items) filter.add(item, 0);
      return filter.has(victim);
    };
    expect(isCensored(knownKey)).toBe(true);
    expect(secretKeys.filter(isCensored)).toEqual([]);
  });
});

describe("filling a filter with chosen items", () => {
  const items = grindToFill();

  test("makes it wrong many times as often where the key is known", () => {
    expect(errorRateOf(filterOf(knownKey, items), 50_000)).toBeGreaterThan(5 * size.errorRate);
  });

  test("leaves the rate as promised under a secret key", () => {
    const rates = secretKeys.slice(0, 10).map((key) => errorRateOf(filterOf(key, items), 20_000));
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    expect(mean).toBeLessThan(1.3 * size.errorRate);
  });
});
