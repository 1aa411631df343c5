import { BitSlice, sliceSize } from "./bit-slice.ts";
import { requireCapacity, requireErrorRate } from "./checks.ts";
import { ItemHasher } from "./item-hasher.ts";

export interface BloomFilterOptions {
  /** Items at which `errorRate` is reached; more are taken, at a worse rate. */
  readonly capacity: number;
  /** Chance that an item never added is found, at capacity: 1e-12 to 0.5. */
  readonly errorRate: number;
  /** 16 secret random bytes. */
  readonly key: Uint8Array;
}

/** A Bloom filter of fixed size: what was added is always found, what was not is found at most at `errorRate`. */
export class BloomFilter {
  readonly #hasher: ItemHasher;
  readonly #slice: BitSlice;
  #count = 0;

  /** @throws BloomError */
  constructor({ capacity, errorRate, key }: BloomFilterOptions) {
    requireErrorRate(errorRate);
    requireCapacity("E_BLOOM_CAPACITY", "capacity", capacity, errorRate);
    this.#hasher = new ItemHasher(key);
    this.#slice = new BitSlice(sliceSize(capacity, errorRate));
  }

  add(item: Uint8Array): void {
    if (this.#slice.add(this.#hasher.hash(item))) this.#count += 1;
  }

  has(item: Uint8Array): boolean {
    return this.#slice.has(this.#hasher.hash(item));
  }

  /** Items added that were not found before. */
  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#slice.sizeBytes;
  }
}
