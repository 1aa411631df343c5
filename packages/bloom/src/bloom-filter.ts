import { BitSlice, sliceSize } from "./bit-slice.ts";
import { requireCapacity, requireErrorRate, requireOptions } from "./checks.ts";
import { fromImage, ImageReader, ImageWriter } from "./image.ts";
import { ItemHasher } from "./item-hasher.ts";

/** What a filter is made for. */
export interface BloomFilterOptions {
  /** Items at which `errorRate` is reached; more are taken, at a worse rate. */
  readonly capacity: number;
  /** Chance that an item never added is found, at capacity: 1e-12 to 0.5. */
  readonly errorRate: number;
  /** 16 secret random bytes. */
  readonly key: Uint8Array;
}

/** What an image is restored with. */
export interface RestoreOptions {
  /** That of the filter which was saved. */
  readonly key: Uint8Array;
}

const KIND = 1;
const SETTINGS_BYTES = 16;

/** A Bloom filter of fixed size: what was added is always found, what was not is found at most at `errorRate`. */
export class BloomFilter {
  readonly #hasher: ItemHasher;
  readonly #capacity: number;
  readonly #errorRate: number;
  #slice: BitSlice;
  #count = 0;

  /** @throws BloomError */
  constructor(options: BloomFilterOptions) {
    const { capacity, errorRate, key } = requireOptions(options);
    this.#errorRate = requireErrorRate(errorRate);
    this.#capacity = requireCapacity("E_BLOOM_CAPACITY", "capacity", capacity, errorRate);
    this.#hasher = new ItemHasher(key);
    this.#slice = new BitSlice(sliceSize(capacity, errorRate));
  }

  /**
   * The filter as it was when `image` was made.
   *
   * @throws BloomError `E_BLOOM_IMAGE`, `E_BLOOM_IMAGE_VERSION`, `E_BLOOM_IMAGE_KIND`, `E_BLOOM_KEY`
   */
  static restore(image: Uint8Array, options: RestoreOptions): BloomFilter {
    const { key } = requireOptions(options);
    const reader = new ImageReader(KIND, image, new ItemHasher(key).imageKey());
    return fromImage(() => {
      const errorRate = reader.f64();
      const capacity = reader.u32();
      const filter = new BloomFilter({ capacity, errorRate, key });
      filter.#count = reader.u32();
      filter.#slice = BitSlice.read(reader, sliceSize(capacity, errorRate));
      reader.finish();
      return filter;
    });
  }

  /** An image to be restored under the same key, which is not in it. */
  save(): Uint8Array {
    const image = new ImageWriter(KIND, SETTINGS_BYTES + this.#slice.imageBytes);
    image.f64(this.#errorRate);
    image.u32(this.#capacity);
    image.u32(this.#count);
    this.#slice.write(image);
    return image.seal(this.#hasher.imageKey());
  }

  /** @throws BloomError `E_BLOOM_ITEM` if it is not a Uint8Array; any bytes will do */
  add(item: Uint8Array): void {
    if (this.#slice.add(this.#hasher.hash(item))) this.#count += 1;
  }

  /** @throws BloomError `E_BLOOM_ITEM` if it is not a Uint8Array; any bytes will do */
  has(item: Uint8Array): boolean {
    return this.#slice.has(this.#hasher.hash(item));
  }

  /** Items added that were not found before. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that the bits take. */
  get sizeBytes(): number {
    return this.#slice.sizeBytes;
  }
}
