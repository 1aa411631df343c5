// One array of bits with k positions for each item, fed with hashes, not items.
import { damaged, type ImageReader, type ImageWriter } from "./image.ts";

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
const MIX = 0x9e3779b9 | 0;

/**
 * Positions by double hashing with a stride that changes (Dillinger, Manolios: "Bloom filters in probabilistic
 * verification", 2004): x += y, y += z for each. There x and y are reduced to the size first and z counts up, so two items
 * share every position once in bits^2, and at 1e-9 that, not the filling, decides: thousands of times the rate asked for with
 * 64 items. Here the sums stay modulo 2^32 and z is drawn from all of the hash; scaling to the size comes last.
 */
export class BitSlice {
  readonly #words: Int32Array;
  readonly #positions: number;
  readonly #scale: number;

  constructor({ bits, positions }: SliceSize, words: Int32Array = new Int32Array(bits / 32)) {
    this.#words = words;
    this.#positions = positions;
    this.#scale = bits / 2 ** 32;
  }

  /**
   * @param planned what it would be here: another engine's logarithms may have led to another size, but not far off
   * @throws BloomError `E_BLOOM_IMAGE`
   */
  static read(image: ImageReader, planned: SliceSize): BitSlice {
    const bits = image.u32();
    const positions = image.u8();
    const isFarOff =
      Math.abs(bits - planned.bits) > 64 + planned.bits / 16 || Math.abs(positions - planned.positions) > 1;
    if (isFarOff || bits === 0 || bits % 32 !== 0 || positions === 0) throw damaged("a slice has an impossible size");
    return new BitSlice({ bits, positions }, image.words(bits / 32));
  }

  write(image: ImageWriter): void {
    image.u32(8 * this.#words.byteLength);
    image.u8(this.#positions);
    image.words(this.#words);
  }

  /** What `write` writes. */
  get imageBytes(): number {
    return 5 + this.#words.byteLength;
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
    const z = strideChange(x, y);
    let changed = 0;
    for (let left = this.#positions; left > 0; left -= 1) {
      const position = ((x >>> 0) * scale) >>> 0;
      const before = words[position >>> 5] as number;
      const after = before | (1 << position);
      words[position >>> 5] = after;
      changed |= before ^ after;
      x = (x + y) | 0;
      y = (y + z) | 0;
    }
    return changed !== 0;
  }

  has(hash: Int32Array): boolean {
    const words = this.#words;
    const scale = this.#scale;
    let x = hash[0] as number;
    let y = hash[1] as number;
    const z = strideChange(x, y);
    for (let left = this.#positions; left > 0; left -= 1) {
      const position = ((x >>> 0) * scale) >>> 0;
      if (((words[position >>> 5] as number) & (1 << position)) === 0) return false;
      x = (x + y) | 0;
      y = (y + z) | 0;
    }
    return true;
  }
}

/** The low bits of x and y, which their own scaling drops, become the high ones of this. */
function strideChange(x: number, y: number): number {
  return Math.imul(x ^ ((y << 16) | (y >>> 16)), MIX);
}
