import { MAX_BITS, sliceSize } from "./bit-slice.ts";
import { BloomError, type BloomErrorCode } from "./errors.ts";

// Callers in JavaScript pass anything, and "0.01" compares like a number: the type is looked at before the range.

// Two items share a 64-bit hash once in 2^64: far below this, the rate asked for would be a promise nobody keeps.
const MIN_ERROR_RATE = 1e-12;
const MAX_ERROR_RATE = 0.5;

/** Beyond this, milliseconds are no longer told apart. */
const MAX_MS = Number.MAX_SAFE_INTEGER;

/** @param code of the argument, `name` in messages */
export function requireNumber(code: BloomErrorCode, name: string, value: unknown, least: number, most: number): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw new BloomError(code, `${name} must be a number from ${least} to ${most}, not ${shown(value)}`);
}

export function requireOptions<Options>(options: Options): Options {
  if (typeof options === "object" && options !== null) return options;
  throw new BloomError("E_BLOOM_OPTIONS", `options must be an object, not ${shown(options)}`);
}

export function requireErrorRate(errorRate: number): number {
  return requireNumber("E_BLOOM_ERROR_RATE", "errorRate", errorRate, MIN_ERROR_RATE, MAX_ERROR_RATE);
}

/** @param errorRate already checked */
export function requireCapacity(code: BloomErrorCode, name: string, capacity: number, errorRate: number): number {
  if (Number.isSafeInteger(capacity) && capacity > 0 && sliceSize(capacity, errorRate).bits <= MAX_BITS)
    return capacity;
  throw new BloomError(code, `${name} must be a positive integer whose bits fit 512 MiB, not ${shown(capacity)}`);
}

export function requireRotation(rotationMs: number): number {
  return requireNumber("E_BLOOM_ROTATION_MS", "rotationMs", rotationMs, 1, MAX_MS);
}

export function requireNow(nowMs: number): number {
  return requireNumber("E_BLOOM_NOW_MS", "nowMs", nowMs, -MAX_MS, MAX_MS);
}

export function requireElapsed(elapsedMs: number): number {
  return requireNumber("E_BLOOM_ELAPSED_MS", "elapsedMs", elapsedMs, 0, MAX_MS);
}

/** Numbers as they are; of others the type, for printing them may throw, or show a key. */
function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  return value === null ? "null" : `a value of type ${typeof value}`;
}
