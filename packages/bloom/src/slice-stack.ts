// The scalable Bloom filter (Almeida, Baquero, Preguiça, Hutchison: "Scalable Bloom filters", 2007) over hashes: slices of
// growing capacity and tightening error rate, the errors of all of them together at most the rate asked for.
import { BitSlice, sliceSize } from "./bit-slice.ts";
import { requireCapacity, requireErrorRate } from "./checks.ts";
import { BloomError } from "./errors.ts";

export interface ScalingOptions {
  /** Items the first slice holds. */
  readonly initialCapacity: number;
  /** Items in all, of all slices: nothing is stored beyond. */
  readonly maxCapacity: number;
  /** Chance that an item never added is found in any slice, when all are full: 1e-12 to 0.5. */
  readonly errorRate: number;
  /** How many times greater each slice is than the one before: 1.5 to 16, default 2. */
  readonly growth?: number;
  /** Each slice's error rate as a part of the one before: 0.1 to 0.95, default 0.5. */
  readonly tightening?: number;
}

interface SlicePlan {
  readonly capacity: number;
  readonly errorRate: number;
}

/** The slices a filter may come to have, decided beforehand; shared by all generations of a rotating filter. */
export type ScalingPlan = readonly SlicePlan[];

/**
 * @param stacks how many stacks share the error rate, being looked up together
 * @throws BloomError
 */
export function planSlices(options: ScalingOptions, stacks: number): ScalingPlan {
  const { initialCapacity, maxCapacity, growth = 2, tightening = 0.5 } = options;
  const errorRate = requireErrorRate(options.errorRate) / stacks;
  requireCapacity("E_BLOOM_INITIAL_CAPACITY", "initialCapacity", initialCapacity, errorRate);
  requireCapacity("E_BLOOM_MAX_CAPACITY", "maxCapacity", maxCapacity, errorRate);
  if (maxCapacity < initialCapacity) {
    throw new BloomError("E_BLOOM_MAX_CAPACITY", `maxCapacity must be at least initialCapacity, not ${maxCapacity}`);
  }
  if (!(growth >= 1.5 && growth <= 16)) {
    throw new BloomError("E_BLOOM_GROWTH", `growth must be from 1.5 to 16, not ${growth}`);
  }
  if (!(tightening >= 0.1 && tightening <= 0.95)) {
    throw new BloomError("E_BLOOM_TIGHTENING", `tightening must be from 0.1 to 0.95, not ${tightening}`);
  }

  // BOUNDED: growth is at least 1.5 and maxCapacity fits 32 bits, so there are at most 54 slices.
  const capacities: number[] = [];
  let planned = 0;
  for (let next = initialCapacity; planned < maxCapacity; next = Math.ceil(next * growth)) {
    const capacity = Math.min(next, maxCapacity - planned);
    capacities.push(capacity);
    planned += capacity;
  }
  // e (1 + r + r² + …) over that many slices is errorRate.
  const firstErrorRate = (errorRate * (1 - tightening)) / (1 - tightening ** capacities.length);
  const plan = capacities.map((capacity, index) => ({ capacity, errorRate: firstErrorRate * tightening ** index }));
  // The last slices are held to a tighter rate than was checked above.
  for (const slice of plan) requireCapacity("E_BLOOM_MAX_CAPACITY", "maxCapacity", slice.capacity, slice.errorRate);
  return plan;
}

export class SliceStack {
  readonly #plan: ScalingPlan;
  // BOUNDED: by the plan. A slice is allocated at its first item: an idle filter costs nothing.
  readonly #slices: BitSlice[] = [];
  #room = 0;
  #count = 0;
  #sizeBytes = 0;

  constructor(plan: ScalingPlan) {
    this.#plan = plan;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** False if it was not stored, for every slice is full; what is found already takes no room. */
  add(hash: Int32Array): boolean {
    if (this.has(hash)) return true;
    if (this.#room === 0 && !this.#grow()) return false;
    this.#slices[this.#slices.length - 1]?.add(hash);
    this.#room -= 1;
    this.#count += 1;
    return true;
  }

  /** Newest slice first: it is the greatest, and what comes twice mostly comes soon. */
  has(hash: Int32Array): boolean {
    for (let index = this.#slices.length - 1; index >= 0; index -= 1) {
      if (this.#slices[index]?.has(hash)) return true;
    }
    return false;
  }

  #grow(): boolean {
    const next = this.#plan[this.#slices.length];
    if (next === undefined) return false;
    const slice = new BitSlice(sliceSize(next.capacity, next.errorRate));
    this.#slices.push(slice);
    this.#room = next.capacity;
    this.#sizeBytes += slice.sizeBytes;
    return true;
  }
}
