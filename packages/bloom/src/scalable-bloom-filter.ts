import { ItemHasher } from "./item-hasher.ts";
import { planSlices, type ScalingOptions, SliceStack } from "./slice-stack.ts";

export interface ScalableBloomFilterOptions extends ScalingOptions {
  /** 16 secret random bytes. */
  readonly key: Uint8Array;
}

/** A Bloom filter that grows with what is added, up to a hard cap, and keeps its error rate throughout. */
export class ScalableBloomFilter {
  readonly #hasher: ItemHasher;
  readonly #slices: SliceStack;

  /** @throws BloomError */
  constructor(options: ScalableBloomFilterOptions) {
    this.#hasher = new ItemHasher(options.key);
    this.#slices = new SliceStack(planSlices(options, 1));
  }

  /** False when the cap is reached: the item was not stored, and nothing is forgotten for it. */
  add(item: Uint8Array): boolean {
    return this.#slices.add(this.#hasher.hash(item));
  }

  has(item: Uint8Array): boolean {
    return this.#slices.has(this.#hasher.hash(item));
  }

  /** Items stored; one that was found already is not counted again. */
  get count(): number {
    return this.#slices.count;
  }

  /** Of the slices so far; 0 before the first item. */
  get sizeBytes(): number {
    return this.#slices.sizeBytes;
  }
}
