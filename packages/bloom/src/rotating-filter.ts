// Two generations of a scalable Bloom filter (PROTOCOL §8): items go into the current one and are looked up in both.
//
//   start           start + R        start + 2R
//     | current         |                |
//     | previous: R ago | = the current  | = empty, if nothing came
//
// An item accepted at t is in the generation begun at s <= t < s + R, which is dropped at s + 2R > t + R: it is remembered
// for more than R and at most 2R. A single filter that is wiped would forget what came just before.
import { BloomError } from "./errors.ts";
import { ItemHasher } from "./item-hasher.ts";
import { planSlices, type ScalingOptions, type ScalingPlan, SliceStack } from "./slice-stack.ts";

/** Capacities are those of one generation, the error rate holds for a look-up in both. */
export interface RotatingFilterOptions extends ScalingOptions {
  /** How long an accepted item is remembered at least. */
  readonly rotationMs: number;
  /** Monotonic time, from any origin. */
  readonly nowMs: number;
  /** 16 secret random bytes. */
  readonly key: Uint8Array;
}

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
    const { rotationMs, nowMs, key } = options;
    if (!(rotationMs > 0 && rotationMs < Number.POSITIVE_INFINITY)) {
      throw new BloomError("E_BLOOM_ROTATION_MS", `rotationMs must be positive and finite, not ${rotationMs}`);
    }
    this.#hasher = new ItemHasher(key);
    this.#plan = planSlices(options, 2);
    this.#rotationMs = rotationMs;
    this.#startMs = requireNow(nowMs);
    this.#current = new SliceStack(this.#plan);
    this.#previous = new SliceStack(this.#plan);
  }

  /** Whether the item was added in this generation or the one before, as of the last `advance` or `add`. */
  has(item: Uint8Array): boolean {
    const hash = this.#hasher.hash(item);
    return this.#current.has(hash) || this.#previous.has(hash);
  }

  /**
   * Advances, then adds. False when this generation is full: the item was not stored, and nothing is forgotten for it.
   *
   * @throws BloomError `E_BLOOM_NOW_MS` if the time is not finite
   */
  add(item: Uint8Array, nowMs: number): boolean {
    this.advance(nowMs);
    return this.#current.add(this.#hasher.hash(item));
  }

  /**
   * Drops what is due. Time that steps back is the caller's fault, and does nothing: it keeps items longer, never less long.
   *
   * @throws BloomError `E_BLOOM_NOW_MS` if the time is not finite
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

  get sizeBytes(): number {
    return this.#current.sizeBytes + this.#previous.sizeBytes;
  }
}

function requireNow(nowMs: number): number {
  if (Number.isFinite(nowMs)) return nowMs;
  throw new BloomError("E_BLOOM_NOW_MS", `nowMs must be finite, not ${nowMs}`);
}
