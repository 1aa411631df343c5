// SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), on 32-bit halves: JavaScript has no fast 64-bit
// integer. The words of the paper are pairs here, `…Low` and `…High`; bytes are read little-endian, as there.

/** Key bytes as four little-endian words: k0 low, k0 high, k1 low, k1 high. */
export type SipKey = Int32Array;

export const SIP_KEY_BYTES = 16;

export function sipKey(bytes: Uint8Array): SipKey {
  const key = new Int32Array(4);
  for (let word = 0; word < 4; word += 1) key[word] = readLittleEndian(bytes, 4 * word);
  return key;
}

/**
 * SipHash-c-d of `item`, written into `out` as two words, low one first. Allocates nothing.
 *
 * @param compressionRounds c, for each 8 bytes; 1 for SipHash-1-3
 * @param finalRounds d; 3 for SipHash-1-3
 */
export function sipHash(
  key: SipKey,
  item: Uint8Array,
  out: Int32Array,
  compressionRounds: number,
  finalRounds: number,
): void {
  const k0Low = key[0] as number;
  const k0High = key[1] as number;
  const k1Low = key[2] as number;
  const k1High = key[3] as number;
  // "somepseudorandomlygeneratedbytes" (paper §2.1)
  let v0Low = k0Low ^ 0x70736575;
  let v0High = k0High ^ 0x736f6d65;
  let v1Low = k1Low ^ 0x6e646f6d;
  let v1High = k1High ^ 0x646f7261;
  let v2Low = k0Low ^ 0x6e657261;
  let v2High = k0High ^ 0x6c796765;
  let v3Low = k1Low ^ 0x79746573;
  let v3High = k1High ^ 0x74656462;

  const length = item.length;
  const tail = length - (length & 7);
  // One turn for each block of 8 bytes, one for the last block (what is left, and the length), one to finish.
  for (let at = 0; at <= tail + 8; at += 8) {
    let low = 0;
    let high = 0;
    let rounds = compressionRounds;
    if (at < tail) {
      low = readLittleEndian(item, at);
      high = readLittleEndian(item, at + 4);
    } else if (at === tail) {
      high = length << 24;
      for (let index = tail; index < length; index += 1) {
        const byte = item[index] as number;
        if (index - tail < 4) low |= byte << (8 * (index - tail));
        else high |= byte << (8 * (index - tail - 4));
      }
    } else {
      v2Low ^= 0xff;
      rounds = finalRounds;
    }
    v3Low ^= low;
    v3High ^= high;
    for (let round = 0; round < rounds; round += 1) {
      let sum = (v0Low + v1Low) | 0;
      v0High = (v0High + v1High + carry(v0Low, v1Low, sum)) | 0;
      v0Low = sum;
      let turned = (v1Low << 13) | (v1High >>> 19);
      v1High = ((v1High << 13) | (v1Low >>> 19)) ^ v0High;
      v1Low = turned ^ v0Low;
      turned = v0Low;
      v0Low = v0High;
      v0High = turned;

      sum = (v2Low + v3Low) | 0;
      v2High = (v2High + v3High + carry(v2Low, v3Low, sum)) | 0;
      v2Low = sum;
      turned = (v3Low << 16) | (v3High >>> 16);
      v3High = ((v3High << 16) | (v3Low >>> 16)) ^ v2High;
      v3Low = turned ^ v2Low;

      sum = (v0Low + v3Low) | 0;
      v0High = (v0High + v3High + carry(v0Low, v3Low, sum)) | 0;
      v0Low = sum;
      turned = (v3Low << 21) | (v3High >>> 11);
      v3High = ((v3High << 21) | (v3Low >>> 11)) ^ v0High;
      v3Low = turned ^ v0Low;

      sum = (v2Low + v1Low) | 0;
      v2High = (v2High + v1High + carry(v2Low, v1Low, sum)) | 0;
      v2Low = sum;
      turned = (v1Low << 17) | (v1High >>> 15);
      v1High = ((v1High << 17) | (v1Low >>> 15)) ^ v2High;
      v1Low = turned ^ v2Low;
      turned = v2Low;
      v2Low = v2High;
      v2High = turned;
    }
    v0Low ^= low;
    v0High ^= high;
  }
  out[0] = v0Low ^ v1Low ^ v2Low ^ v3Low;
  out[1] = v0High ^ v1High ^ v2High ^ v3High;
}

/** What a 32-bit addition carries out. By bits, for a comparison would be a branch that no processor can predict. */
function carry(left: number, right: number, sum: number): number {
  return ((left & right) | ((left | right) & ~sum)) >>> 31;
}

function readLittleEndian(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
