import { createRequire } from "node:module";
import { BloomFilter } from "bloomfilter";
import xxhash from "xxhash-wasm";
import { ID_BYTES } from "./bloom-ids.ts";

// Other ways to remember ids of 32 bytes. None of them is keyed.

export type Remembering = { add(id: Buffer): unknown; has(id: Buffer): boolean };

/** The types that it comes with do not compile with TypeScript 7. */
type BloomFilters = {
  readonly BloomFilter: { create(items: number, errorRate: number): Remembering & { _hashing: object } };
  readonly Hashing: new () => { serialize(element: Buffer, seed?: number): number };
};
const require = createRequire(import.meta.url);
const bloomFilters: BloomFilters = require("bloom-filters");

/** As it is, given what it takes fastest: bytes, which it hashes without making a string of them. */
export function bloomFiltersPeer(items: number, errorRate: number): Remembering {
  return bloomFilters.BloomFilter.create(items, errorRate);
}

const { h64Raw } = await xxhash();

class WasmHashing extends bloomFilters.Hashing {
  override serialize(element: Buffer, seed = 0): number {
    return Number(h64Raw(element, BigInt(seed)));
  }
}

/** With a hash of the user's own in the hook that its README shows, many times faster than the one that it comes with. */
export function bloomFiltersXxhashPeer(items: number, errorRate: number): Remembering {
  const filter = bloomFilters.BloomFilter.create(items, errorRate);
  filter._hashing = new WasmHashing();
  return filter;
}

/** It takes strings only. */
export function bloomfilterPeer(items: number, errorRate: number): Remembering {
  const filter = BloomFilter.withTargetError(items, errorRate);
  return { add: (id) => filter.add(text(id)), has: (id) => filter.test(text(id)) };
}

/** Exact, and a hundred bytes an id instead of one or two. */
export function setPeer(): Remembering {
  const set = new Set<string>();
  return { add: (id) => set.add(text(id)), has: (id) => set.has(text(id)) };
}

/** What bytes must become to be told apart by value, by the cheapest way there is; `toString` comes down to it. */
function text(id: Buffer): string {
  return (id as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(0, ID_BYTES);
}
