export const TAG_BYTES = 16;

/** Two lanes of 32 bits. Not collision resistant: nobody in the simulator tries. */
export class Fold {
  #low: number;
  #high: number;

  constructor(low = 0x811c_9dc5, high = 0x9747_b28c) {
    this.#low = low;
    this.#high = high;
  }

  copy(): Fold {
    return new Fold(this.#low, this.#high);
  }

  add(bytes: Uint8Array): this {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < bytes.length; i += 1) {
      low = Math.imul(low ^ (bytes[i] as number), 0x0100_0193);
      high = Math.imul(high ^ low, 0x85eb_ca6b);
    }
    this.#low = low ^ bytes.length;
    this.#high = Math.imul(high ^ (high >>> 15), 0xc2b2_ae35);
    return this;
  }

  number(value: number): this {
    this.#low = Math.imul(this.#low ^ value, 0x0100_0193);
    this.#high = Math.imul(this.#high ^ this.#low ^ Math.floor(value / 2 ** 32), 0x85eb_ca6b);
    return this;
  }

  /** Both lanes, mixed into as many bytes as there are in `target` from `offset` on. */
  write(target: Uint8Array, offset: number, sizeBytes: number): void {
    let low = this.#low;
    let high = this.#high;
    for (let i = 0; i < sizeBytes; i += 1) {
      if ((i & 3) === 0) {
        low = Math.imul(low ^ (high >>> 13), 0x9e37_79b1);
        high = Math.imul(high ^ (low >>> 16), 0x85eb_ca6b);
      }
      target[offset + i] = high >>> (8 * (i & 3));
    }
  }

  matches(target: Uint8Array, offset: number): boolean {
    const expected = new Uint8Array(TAG_BYTES);
    this.write(expected, 0, TAG_BYTES);
    for (let i = 0; i < TAG_BYTES; i += 1) if (expected[i] !== target[offset + i]) return false;
    return true;
  }
}
