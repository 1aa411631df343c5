import { writeStampHash } from "./stamp-input.ts";

/**
 * Tries `tries` nonces in order from (nonceHigh, nonceLow) and returns the offset of the first whose hash has first 32 bits
 * <= `target`, or `tries` if there is none. The caller looks at the other bits of that one.
 *
 * @param tries 1 to 2^30, and nonceLow + tries <= 2^32: a kernel does not carry into nonceHigh
 */
export type Kernel = (
  midstate: Int32Array,
  nonceHigh: number,
  nonceLow: number,
  target: number,
  tries: number,
) => number;

export const MAX_TRIES: number = 2 ** 30;

const hash = new Int32Array(8);

/** Works everywhere, at about a fifth of the speed of the SIMD one. */
export const plainKernel: Kernel = (midstate, nonceHigh, nonceLow, target, tries) => {
  for (let offset = 0; offset < tries; offset += 1) {
    writeStampHash(hash, midstate, nonceHigh, (nonceLow + offset) | 0);
    if ((hash[0] as number) >>> 0 <= target) return offset;
  }
  return tries;
};
