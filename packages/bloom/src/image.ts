// What a filter is saved as. Numbers and words are little-endian.
//
//   0      4       5      6                                        length - 8
//   | SBLM | version | kind | body                                   | tag |
//
//   body of kind 1, BloomFilter:          settings { errorRate f64, capacity u32 }, count u32, slice
//   body of kind 2, ScalableBloomFilter:  scaling, stack
//   body of kind 3, RotatingFilter:       scaling, rotationMs f64, ageMs f64 (of the current generation), stack current, stack previous
//
//   scaling:  errorRate f64, initialCapacity u32, maxCapacity u32, growth f64, tightening f64
//   stack:    count u32, slices u8, that many slices
//   slice:    bits u32, positions u8, bits / 8 bytes
//
// The tag is SipHash-2-4, under a key drawn from the filter's, of all before it. It tells damage, a wrong key and a forged image
// apart from a good one, without the key being stored: who has read an image can neither look items up in it nor choose any
// against it. Bits and positions are stored, for logarithms may differ in the last place between JavaScript engines.
import { BloomError } from "./errors.ts";
import { type SipKey, sipHash } from "./siphash.ts";

export type ImageKind = 1 | 2 | 3;

const MAGIC = 0x4d4c4253; // "SBLM"
const VERSION = 1;
const HEADER_BYTES = 6;
const TAG_BYTES = 8;

export class ImageWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** @param bodyBytes the most that will be written */
  constructor(kind: ImageKind, bodyBytes: number) {
    this.#bytes = new Uint8Array(HEADER_BYTES + bodyBytes + TAG_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
    this.u32(MAGIC);
    this.u8(VERSION);
    this.u8(kind);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  f64(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  words(words: Int32Array): void {
    for (let index = 0; index < words.length; index += 1) {
      this.#view.setInt32(this.#at + 4 * index, words[index] as number, true);
    }
    this.#at += words.byteLength;
  }

  seal(key: SipKey): Uint8Array {
    const tag = new Int32Array(2);
    sipHash(key, this.#bytes.subarray(0, this.#at), tag, 2, 4);
    this.words(tag);
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Reads a body whose tag is right. What it still says that cannot be is `E_BLOOM_IMAGE`, as damage is. */
export class ImageReader {
  readonly #view: DataView;
  readonly #end: number;
  #at: number = HEADER_BYTES;

  /** @throws BloomError `E_BLOOM_IMAGE`, `E_BLOOM_IMAGE_VERSION`, `E_BLOOM_IMAGE_KIND` */
  constructor(kind: ImageKind, image: Uint8Array, key: SipKey) {
    if (!(image instanceof Uint8Array)) throw new BloomError("E_BLOOM_IMAGE", "image must be a Uint8Array");
    this.#view = new DataView(image.buffer, image.byteOffset, image.byteLength);
    this.#end = image.length - TAG_BYTES;
    if (this.#end < HEADER_BYTES || this.#view.getUint32(0, true) !== MAGIC) throw damaged("it is none");
    const version = this.#view.getUint8(4);
    if (version !== VERSION) throw new BloomError("E_BLOOM_IMAGE_VERSION", `image has the unknown version ${version}`);
    const tag = new Int32Array(2);
    sipHash(key, image.subarray(0, this.#end), tag, 2, 4);
    const isWhole =
      tag[0] === this.#view.getInt32(this.#end, true) && tag[1] === this.#view.getInt32(this.#end + 4, true);
    if (!isWhole) throw damaged("it is damaged, or was made under another key");
    if (this.#view.getUint8(5) !== kind)
      throw new BloomError("E_BLOOM_IMAGE_KIND", "image is of another kind of filter");
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  words(count: number): Int32Array {
    const at = this.#take(4 * count);
    const words = new Int32Array(count);
    for (let index = 0; index < count; index += 1) words[index] = this.#view.getInt32(at + 4 * index, true);
    return words;
  }

  /** @throws BloomError `E_BLOOM_IMAGE` if anything is left */
  finish(): void {
    if (this.#at !== this.#end) throw damaged("it is longer than it says");
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#end) throw damaged("it ends early");
    this.#at += bytes;
    return at;
  }
}

export function damaged(why: string): BloomError {
  return new BloomError("E_BLOOM_IMAGE", `image cannot be restored: ${why}`);
}

/** Runs the checks of the constructors on what an image says; their complaints are about the image then. */
export function fromImage<Result>(restore: () => Result): Result {
  try {
    return restore();
  } catch (error) {
    if (error instanceof BloomError && !error.code.startsWith("E_BLOOM_IMAGE")) throw damaged(error.message);
    throw error;
  }
}
