import { MAX_BITS, sliceSize } from "./bit-slice.ts";
import { BloomError, type BloomErrorCode } from "./errors.ts";

// Two items share a 64-bit hash once in 2^64: far below this, the rate asked for would be a promise nobody keeps.
const MIN_ERROR_RATE = 1e-12;
const MAX_ERROR_RATE = 0.5;

export function requireErrorRate(errorRate: number): number {
  if (errorRate >= MIN_ERROR_RATE && errorRate <= MAX_ERROR_RATE) return errorRate;
  throw new BloomError(
    "E_BLOOM_ERROR_RATE",
    `errorRate must be from ${MIN_ERROR_RATE} to ${MAX_ERROR_RATE}, not ${errorRate}`,
  );
}

/** @param errorRate already checked */
export function requireCapacity(code: BloomErrorCode, name: string, capacity: number, errorRate: number): number {
  if (Number.isSafeInteger(capacity) && capacity > 0 && sliceSize(capacity, errorRate).bits <= MAX_BITS)
    return capacity;
  throw new BloomError(code, `${name} must be a positive integer whose bits fit 512 MiB, not ${capacity}`);
}
