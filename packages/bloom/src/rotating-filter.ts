// Two generations of a scalable Bloom filter (PROTOCOL §7.6): items go into the current one and are looked up in both.
//
//   start           start + R        start + 2R
//     | current         |                |
//     | previous: R ago | = the current  | = empty, if nothing came
//
// An item accepted at t is in the generation begun at s <= t < s + R, which is dropped at s + 2R > t + R: it is remembered
// for more than R and at most 2R. A single filter that is wiped would forget what came just before.
import type { RestoreOptions } from "./bloom-filter.ts";
import { requireElapsed, requireNow, requireOptions, requireRotation } from "./checks.ts";
import { damaged, fromImage, ImageReader, ImageWriter } from "./image.ts";
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

/** Capacities are those of one generation, the error rate holds for a look-up in both. */
export interface RotatingFilterOptions extends ScalingOptions {
  /** How long an accepted item is remembered at least: 1 or more. */
  readonly rotationMs: number;
  /** Monotonic time, from any origin. */
  readonly nowMs: number;
  /** 16 secret random bytes. */
  readonly key: Uint8Array;
}

/** What an image is restored with, and when. */
export interface RotatingRestoreOptions extends RestoreOptions {
  /** Monotonic time now; its origin need not be that of the time at which the image was made. */
  readonly nowMs: number;
  /** How long ago the image was made, if that is known. Told less than the truth, it is remembered for longer; default 0. */
  readonly elapsedMs?: number;
}

const KIND = 3;
const AGES_BYTES = 16;

/** Remembers what was added for at least `rotationMs`, in bounded memory. */
export class RotatingFilter {
  readonly #hasher: ItemHasher;
  readonly #plan: ScalingPlan;
  readonly #rotationMs: number;
  #current: SliceStack;
  #previous: SliceStack;
  #startMs: number;

  /** @throws BloomError */
  constructor(options: RotatingFilterOptions) {
    const { rotationMs, nowMs, key } = requireOptions(options);
    this.#rotationMs = requireRotation(rotationMs);
    this.#startMs = requireNow(nowMs);
    this.#plan = planSlices(options, 2);
    this.#hasher = new ItemHasher(key);
    this.#current = new SliceStack(this.#plan);
    this.#previous = new SliceStack(this.#plan);
  }

  /**
   * The filter as it was when `image` was made, advanced by `elapsedMs`.
   *
   * @throws BloomError `E_BLOOM_IMAGE`, `E_BLOOM_IMAGE_VERSION`, `E_BLOOM_IMAGE_KIND`, `E_BLOOM_KEY`, `E_BLOOM_NOW_MS`,
   * `E_BLOOM_ELAPSED_MS`
   */
  static restore(image: Uint8Array, options: RotatingRestoreOptions): RotatingFilter {
    const { key, nowMs, elapsedMs = 0 } = requireOptions(options);
    requireNow(nowMs);
    requireElapsed(elapsedMs);
    const reader = new ImageReader(KIND, image, new ItemHasher(key).imageKey());
    return fromImage(() => {
      const scaling = readScaling(reader);
      const rotationMs = reader.f64();
      const ageMs = reader.f64();
      if (!(ageMs >= 0 && ageMs <= rotationMs)) throw damaged("the age of its generation is impossible");
      const filter = new RotatingFilter({ ...scaling, rotationMs, nowMs, key });
      filter.#current = SliceStack.read(filter.#plan, reader);
      filter.#previous = SliceStack.read(filter.#plan, reader);
      reader.finish();
      filter.#startMs = nowMs - ageMs - elapsedMs;
      filter.advance(nowMs);
      return filter;
    });
  }

  /**
   * Advances; then an image to be restored under the same key, which is not in it.
   *
   * @throws BloomError `E_BLOOM_NOW_MS`
   */
  save(nowMs: number): Uint8Array {
    this.advance(nowMs);
    const image = new ImageWriter(
      KIND,
      SCALING_BYTES + AGES_BYTES + this.#current.imageBytes + this.#previous.imageBytes,
    );
    writeScaling(this.#plan, image);
    image.f64(this.#rotationMs);
    image.f64(Math.max(0, nowMs - this.#startMs));
    this.#current.write(image);
    this.#previous.write(image);
    return image.seal(this.#hasher.imageKey());
  }

  /**
   * Whether the item was added in this generation or the one before, as of the last `advance`, `add` or `save`.
   *
   * @throws BloomError `E_BLOOM_ITEM` if it is not a Uint8Array; any bytes will do
   */
  has(item: Uint8Array): boolean {
    const hash = this.#hasher.hash(item);
    return this.#current.has(hash) || this.#previous.has(hash);
  }

  /**
   * Advances, then adds. False when this generation is full: the item was not stored, and nothing is forgotten for it.
   *
   * @throws BloomError `E_BLOOM_NOW_MS`, or `E_BLOOM_ITEM` if it is not a Uint8Array; any bytes will do
   */
  add(item: Uint8Array, nowMs: number): boolean {
    const hash = this.#hasher.hash(item);
    this.advance(nowMs);
    return this.#current.add(hash);
  }

  /**
   * Drops what is due. Time that steps back is the caller's fault, and does nothing: it keeps items longer, never less long.
   *
   * @throws BloomError `E_BLOOM_NOW_MS`
   */
  advance(nowMs: number): void {
    const turns = Math.floor((requireNow(nowMs) - this.#startMs) / this.#rotationMs);
    if (turns < 1) return;
    this.#previous = turns === 1 ? this.#current : new SliceStack(this.#plan);
    this.#current = new SliceStack(this.#plan);
    this.#startMs += turns * this.#rotationMs;
  }

  /** When `advance` next has something to do; before, it need not be called. */
  get nextRotationMs(): number {
    return this.#startMs + this.#rotationMs;
  }

  /** Items in both generations; one that was accepted in both counts twice. */
  get count(): number {
    return this.#current.count + this.#previous.count;
  }

  /** Bytes that the bits of both generations take. */
  get sizeBytes(): number {
    return this.#current.sizeBytes + this.#previous.sizeBytes;
  }
}
