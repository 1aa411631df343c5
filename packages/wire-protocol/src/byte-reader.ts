/**
 * Reads big-endian integers and bytes from untrusted input. Reading past the end never throws: it gives zeros and sets
 * `failed`, which a codec checks once before it believes anything it read.
 */
export class ByteReader {
  failed = false;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at);
  }

  u48(): number {
    const at = this.#take(6);
    return at < 0 ? 0 : this.#view.getUint16(at) * 2 ** 32 + this.#view.getUint32(at + 2);
  }

  /** A view into the input, not a copy; empty when the input is too short. */
  raw(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes);
    return at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + sizeBytes);
  }

  rest(): Uint8Array {
    return this.raw(this.remaining);
  }

  #take(sizeBytes: number): number {
    const at = this.#offset;
    if (this.failed || at + sizeBytes > this.#bytes.length) {
      this.failed = true;
      return -1;
    }
    this.#offset = at + sizeBytes;
    return at;
  }
}
