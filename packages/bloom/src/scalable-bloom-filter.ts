import type { RestoreOptions } from "./bloom-filter.ts";
import { requireOptions } from "./checks.ts";
import { fromImage, ImageReader, ImageWriter } from "./image.ts";
import { ItemHasher } from "./item-hasher.ts";
import {
  planSlices,
  readScaling,
  SCALING_BYTES,
  type ScalingOptions,
  type ScalingPlan,
  writeScaling,
} from "./scaling-plan.ts";
import { SliceStack } from "./slice-stack.ts";

/** What a growing filter is made for. */
export interface ScalableBloomFilterOptions extends ScalingOptions {
  /** 16 secret random bytes. */
  readonly key: Uint8Array;
}

const KIND = 2;

/** A Bloom filter that grows with what is added, up to a hard cap, and keeps its error rate throughout. */
export class ScalableBloomFilter {
  readonly #hasher: ItemHasher;
  readonly #plan: ScalingPlan;
  #slices: SliceStack;

  /** @throws BloomError */
  constructor(options: ScalableBloomFilterOptions) {
    const { key } = requireOptions(options);
    this.#plan = planSlices(options, 1);
    this.#hasher = new ItemHasher(key);
    this.#slices = new SliceStack(this.#plan);
  }

  /**
   * The filter as it was when `image` was made.
   *
   * @throws BloomError `E_BLOOM_IMAGE`, `E_BLOOM_IMAGE_VERSION`, `E_BLOOM_IMAGE_KIND`, `E_BLOOM_KEY`
   */
  static restore(image: Uint8Array, options: RestoreOptions): ScalableBloomFilter {
    const { key } = requireOptions(options);
    const reader = new ImageReader(KIND, image, new ItemHasher(key).imageKey());
    return fromImage(() => {
      const filter = new ScalableBloomFilter({ ...readScaling(reader), key });
      filter.#slices = SliceStack.read(filter.#plan, reader);
      reader.finish();
      return filter;
    });
  }

  /** An image to be restored under the same key, which is not in it. */
  save(): Uint8Array {
    const image = new ImageWriter(KIND, SCALING_BYTES + this.#slices.imageBytes);
    writeScaling(this.#plan, image);
    this.#slices.write(image);
    return image.seal(this.#hasher.imageKey());
  }

  /**
   * False when the cap is reached: the item was not stored, and nothing is forgotten for it.
   *
   * @throws BloomError `E_BLOOM_ITEM` if it is not a Uint8Array; any bytes will do
   */
  add(item: Uint8Array): boolean {
    return this.#slices.add(this.#hasher.hash(item));
  }

  /** @throws BloomError `E_BLOOM_ITEM` if it is not a Uint8Array; any bytes will do */
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
