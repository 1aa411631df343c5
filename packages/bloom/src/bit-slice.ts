// One array of bits with k positions for each item, fed with hashes, not items.

/** How many bits and positions keep `capacity` items at `errorRate`. */
export interface SliceSize {
  readonly bits: number;
  readonly positions: number;
}

/** Beyond this a position would not fit 32 bits. */
export const MAX_BITS: number = 2 ** 32 - 32;

/** Solves errorRate = (1 - e^(-k n / m))^k for m, with the whole number k nearest to the best. */
export function sliceSize(capacity: number, errorRate: number): SliceSize {
  const positions = Math.max(1, Math.round(-Math.log2(errorRate)));
  const bits = (-positions * capacity) / Math.log1p(-(errorRate ** (1 / positions)));
  return { bits: 32 * Math.ceil(bits / 32), positions };
}

/** Odd, and without structure: the golden ratio in 32 bits. */
const STEP = 0x9e3779b9 | 0;

/**
 * Enhanced double hashing (Dillinger, Manolios, 2004): x, y from the hash, then x += y, y += i for each position. The sums
 * are kept modulo 2^32 and only then scaled to the size, so all 64 bits of the hash count: taken modulo the size first,
 * two items would share every position once in bits^2, which is too often for an error rate of 1e-9. For the same reason
 * i is multiplied by STEP: unscaled, it would vanish in the scaling.
 */
export class BitSlice {
  readonly #words: Int32Array;
  readonly #positions: number;
  readonly #scale: number;

  constructor({ bits, positions }: SliceSize) {
    this.#words = new Int32Array(bits / 32);
    this.#positions = positions;
    this.#scale = bits / 2 ** 32;
  }

  get sizeBytes(): number {
    return this.#words.byteLength;
  }

  /** Returns whether a bit was set that was not before. */
  add(hash: Int32Array): boolean {
    const words = this.#words;
    const scale = this.#scale;
    let x = hash[0] as number;
    let y = hash[1] as number;
    let step = 0;
    let changed = 0;
    for (let left = this.#positions; left > 0; left -= 1) {
      const position = ((x >>> 0) * scale) >>> 0;
      const before = words[position >>> 5] as number;
      const after = before | (1 << position);
      words[position >>> 5] = after;
      changed |= before ^ after;
      x = (x + y) | 0;
      y = (y + step) | 0;
      step = (step + STEP) | 0;
    }
    return changed !== 0;
  }

  has(hash: Int32Array): boolean {
    const words = this.#words;
    const scale = this.#scale;
    let x = hash[0] as number;
    let y = hash[1] as number;
    let step = 0;
    for (let left = this.#positions; left > 0; left -= 1) {
      const position = ((x >>> 0) * scale) >>> 0;
      if (((words[position >>> 5] as number) & (1 << position)) === 0) return false;
      x = (x + y) | 0;
      y = (y + step) | 0;
      step = (step + STEP) | 0;
    }
    return true;
  }
}
