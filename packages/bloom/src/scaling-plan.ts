// How a scalable Bloom filter grows (Almeida, Baquero, Preguiça, Hutchison: "Scalable Bloom filters", 2007): slices of growing
// capacity and tightening error rate, the errors of all of them together at most the rate asked for.
import { requireCapacity, requireErrorRate, requireNumber } from "./checks.ts";
import { BloomError } from "./errors.ts";
import type { ImageReader, ImageWriter } from "./image.ts";

/** How a filter grows, slice by slice. */
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
export interface ScalingPlan {
  readonly settings: Required<ScalingOptions>;
  readonly slices: readonly SlicePlan[];
}

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
  requireNumber("E_BLOOM_GROWTH", "growth", growth, 1.5, 16);
  requireNumber("E_BLOOM_TIGHTENING", "tightening", tightening, 0.1, 0.95);

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
  const slices = capacities.map((capacity, index) => ({ capacity, errorRate: firstErrorRate * tightening ** index }));
  // The last slices are held to a tighter rate than was checked above.
  for (const slice of slices) requireCapacity("E_BLOOM_MAX_CAPACITY", "maxCapacity", slice.capacity, slice.errorRate);
  return { settings: { initialCapacity, maxCapacity, errorRate: options.errorRate, growth, tightening }, slices };
}

/** What `writeScaling` writes. */
export const SCALING_BYTES: number = 32;

export function writeScaling({ settings }: ScalingPlan, image: ImageWriter): void {
  image.f64(settings.errorRate);
  image.u32(settings.initialCapacity);
  image.u32(settings.maxCapacity);
  image.f64(settings.growth);
  image.f64(settings.tightening);
}

export function readScaling(image: ImageReader): Required<ScalingOptions> {
  return {
    errorRate: image.f64(),
    initialCapacity: image.u32(),
    maxCapacity: image.u32(),
    growth: image.f64(),
    tightening: image.f64(),
  };
}
