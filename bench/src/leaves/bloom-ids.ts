import { randomBytes } from "node:crypto";

// Ids as the network has them: 32 random bytes, all made before anything is timed.

export const ID_BYTES = 32;

export function makeIds(count: number): Buffer[] {
  const bytes = randomBytes(count * ID_BYTES);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * ID_BYTES, (index + 1) * ID_BYTES));
}

/** Bytes of a Bloom filter that wastes none. */
export function theoryBytes(items: number, errorRate: number): number {
  return (items * -Math.log(errorRate)) / Math.LN2 ** 2 / 8;
}
