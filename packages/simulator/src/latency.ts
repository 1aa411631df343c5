import type { SeededRandom } from "./seeded-random.ts";

export type Point = { readonly x: number; readonly y: number };

/** One way, in ms, for a datagram from one place to another. */
export type Latency = (random: SeededRandom, from: Point, to: Point) => number;

/** Uniform between the two, wherever the ends are. */
export function uniformLatency(leastMs: number, mostMs: number): Latency {
  return (random) => leastMs + random.fraction() * (mostMs - leastMs);
}

const NEAREST_MS = 20;
const SPREAD_MS = 130;
const JITTER_SIGMA = 0.1;
const WIRE_MS = 1;
const FACTORS = 4096;

/** exp(sigma · z) at FACTORS evenly spaced quantiles of z, so that a datagram costs a look-up and no logarithm. */
function jitterFactors(): Float64Array {
  const factors = new Float64Array(FACTORS);
  const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  let z = -6;
  let below = 0;
  const step = 1 / 1024;
  for (let i = 0; i < FACTORS; i += 1) {
    const quantile = (i + 0.5) / FACTORS;
    while (below < quantile && z < 6) {
      below += density(z + step / 2) * step;
      z += step;
    }
    factors[i] = Math.exp(JITTER_SIGMA * z);
  }
  return factors;
}

/**
 * Places in the unit square: 20 to 150 ms by distance, times a log-normal jitter of sigma 0.1, and 1 ms. The model of the
 * evidence that the targets come from.
 */
export function planeLatency(): Latency {
  const factors = jitterFactors();
  return (random, from, to) => {
    const distance = Math.hypot(from.x - to.x, from.y - to.y);
    const factor = factors[random.integer(FACTORS)] as number;
    return (NEAREST_MS + (SPREAD_MS * distance) / Math.SQRT2) * factor + WIRE_MS;
  };
}
