// What a stamp hashes, 72 bytes (PROTOCOL §7.4; every integer big-endian):
//
//   offset  size
//        0    24  tag      "starling stamp v1" in ASCII, padded with zeros
//       24    32  digest   SHA-256 over what is stamped
//       56     8  effort   two zero bytes, then 48 bits
//       64     8  nonce
//
// The first 64 bytes are exactly one SHA-256 block and stay the same from try to try: they are hashed once, into the
// midstate, and a try costs one compression of the second block: nonce, padding, length.
import { compress, INITIAL_STATE } from "./sha256.ts";

export const DIGEST_BYTES = 32;
export const NONCE_BYTES = 8;
export const INPUT_BITS: number = 72 * 8;

const TAG_WORDS: readonly number[] = [0x73746172, 0x6c696e67, 0x20737461, 0x6d702076, 0x31000000, 0];
/** The one bit that begins SHA-256's padding. */
export const PADDING_WORD = 0x80000000;

// Scratch of this module: both functions below run to their end before anybody else can.
const words = new Int32Array(64);

/** A 32-bit big-endian word. */
export function readWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Writes into `midstate` (eight words) the SHA-256 state after the first block. Digest and effort are already checked. */
export function writeMidstate(midstate: Int32Array, digest: Uint8Array, effort: number): void {
  midstate.set(INITIAL_STATE);
  words.set(TAG_WORDS);
  for (let word = 0; word < 8; word += 1) words[6 + word] = readWord(digest, 4 * word);
  words[14] = Math.floor(effort / 2 ** 32);
  words[15] = (effort % 2 ** 32) | 0;
  compress(midstate, words);
}

/** Writes into `state` (eight words) the SHA-256 of the whole input: one compression. */
export function writeStampHash(state: Int32Array, midstate: Int32Array, nonceHigh: number, nonceLow: number): void {
  state.set(midstate);
  words.fill(0, 3, 15);
  words[0] = nonceHigh;
  words[1] = nonceLow;
  words[2] = PADDING_WORD | 0;
  words[15] = INPUT_BITS;
  compress(state, words);
}
