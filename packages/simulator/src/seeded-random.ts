import type { RandomSource } from "@starling/crypto-identity";

/** Chance from a seed: the same seed gives the same run. Never for keys outside the simulator. */
export type SeededRandom = {
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  /** Uniform in 0 .. below - 1. */
  readonly integer: (below: number) => number;
  readonly bytes: RandomSource;
  /** A generator of its own, so that what one part draws does not move another. */
  readonly fork: () => SeededRandom;
};

/** sfc32 (Chris Doty-Humphrey's small fast counter generator), seeded from one integer. */
export function seededRandom(seed: number): SeededRandom {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e37_79b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i += 1) next();
  return {
    fraction: () => next() / 2 ** 32,
    integer: (below) => Math.floor((next() / 2 ** 32) * below),
    bytes: (sizeBytes) => {
      const bytes = new Uint8Array(sizeBytes);
      for (let i = 0; i < sizeBytes; ) {
        let word = next();
        const end = Math.min(i + 4, sizeBytes);
        for (; i < end; i += 1) {
          bytes[i] = word;
          word >>>= 8;
        }
      }
      return bytes;
    },
    fork: () => seededRandom(next()),
  };
}

/** One of a list that is not empty. */
export function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.integer(from.length)] as T;
}
