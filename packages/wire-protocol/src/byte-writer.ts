import { WireError } from "./errors.ts";
import { takeBytes } from "./slab.ts";

/** Appends big-endian integers and bytes to a buffer of a size known beforehand. Codecs compute the size first. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(sizeBytes: number) {
    this.bytes = takeBytes(sizeBytes);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, sizeBytes);
  }

  u8(value: number): this {
    check(value, 0xff);
    this.#view.setUint8(this.#advance(1), value);
    return this;
  }

  u16(value: number): this {
    check(value, 0xffff);
    this.#view.setUint16(this.#advance(2), value);
    return this;
  }

  u32(value: number): this {
    check(value, 0xffff_ffff);
    this.#view.setUint32(this.#advance(4), value);
    return this;
  }

  u48(value: number): this {
    check(value, 2 ** 48 - 1);
    const at = this.#advance(6);
    this.#view.setUint16(at, Math.floor(value / 2 ** 32));
    this.#view.setUint32(at + 2, value % 2 ** 32);
    return this;
  }

  /** Bytes of exactly `sizeBytes`, so that a wrong length is found where it is written. */
  raw(value: Uint8Array, sizeBytes: number = value.length): this {
    if (value.length !== sizeBytes) {
      throw new WireError("E_BAD_VALUE", `expected ${sizeBytes} bytes, got ${value.length}`);
    }
    this.bytes.set(value, this.#advance(sizeBytes));
    return this;
  }

  #advance(sizeBytes: number): number {
    const at = this.#offset;
    this.#offset += sizeBytes;
    return at;
  }
}

function check(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new WireError("E_BAD_VALUE", `expected an integer from 0 to ${max}, got ${value}`);
  }
}
