import * as crypto from "node:crypto";
import type { Mac } from "./primitives.ts";

// Hashes on Node. A digest is cheapest as a latin1 string ("binary"): no Buffer is made for it. Making a small array costs
// as much as hashing it, and collecting it as much again, so that input is put together in arrays that stay.

const DIGEST_BYTES = 32;
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

const hashLatin1 = (algorithm: string, data: Uint8Array): string => crypto.hash(algorithm, data, "binary");

function putLatin1(text: string, target: Uint8Array, offset: number): void {
  for (let i = 0; i < text.length; i++) target[offset + i] = text.charCodeAt(i);
}

function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  putLatin1(text, bytes, 0);
  return bytes;
}

const scratch = new Uint8Array(2048);
/** The scratch's beginnings, by size. BOUNDED: by MAX_VIEW_BYTES. */
const views: Uint8Array[] = [];
const MAX_VIEW_BYTES = 512;

/** The first bytes of the scratch, or an array for what it does not hold. */
function scratchOf(sizeBytes: number): Uint8Array {
  if (sizeBytes > scratch.length) return new Uint8Array(sizeBytes);
  if (sizeBytes > MAX_VIEW_BYTES) return scratch.subarray(0, sizeBytes);
  let view = views[sizeBytes];
  if (view === undefined) {
    view = scratch.subarray(0, sizeBytes);
    views[sizeBytes] = view;
  }
  return view;
}

/** The two, one after the other. What is given back is good until the next call. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = scratchOf(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

export function sha256(data: Uint8Array): Uint8Array {
  return bytesOfLatin1(hashLatin1("sha256", data));
}

export function sha512(data: Uint8Array): Uint8Array {
  return bytesOfLatin1(hashLatin1("sha512", data));
}

export function mixHash(hash: Uint8Array, data: Uint8Array): void {
  putLatin1(hashLatin1("sha256", joined(hash, data)), hash, 0);
}

const outerScratch = new Uint8Array(BLOCK_BYTES + DIGEST_BYTES);

/** HMAC as two one-shot hashes (RFC 2104 §2): cheaper than an Hmac object for the short inputs it gets here. */
export function createMac(key: Uint8Array): Mac {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = new Uint8Array(BLOCK_BYTES);
  const outer = new Uint8Array(BLOCK_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = short[i] ?? 0;
    inner[i] = byte ^ INNER_PAD;
    outer[i] = byte ^ OUTER_PAD;
  }
  return (data) => {
    const innerInput = joined(inner, data);
    outerScratch.set(outer);
    putLatin1(hashLatin1("sha256", innerInput), outerScratch, BLOCK_BYTES);
    const mac = bytesOfLatin1(hashLatin1("sha256", outerScratch));
    // Key and data may be secret, and the scratch outlives them.
    innerInput.fill(0);
    outerScratch.fill(0);
    return mac;
  };
}

/** The HMAC under the key whose padded blocks stand at the front of both scratches. */
function macOfScratch(dataBytes: number): string {
  putLatin1(hashLatin1("sha256", scratchOf(BLOCK_BYTES + dataBytes)), outerScratch, BLOCK_BYTES);
  return hashLatin1("sha256", outerScratch);
}

function padKey(byteAt: (i: number) => number): void {
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = i < DIGEST_BYTES ? byteAt(i) : 0;
    scratch[i] = byte ^ INNER_PAD;
    outerScratch[i] = byte ^ OUTER_PAD;
  }
}

/** HKDF (RFC 5869) for the one shape that a handshake needs, without an array: 2 x faster than over `createMac`. */
export function derivePair(chainingKey: Uint8Array, inputKey: Uint8Array, key: Uint8Array): void {
  padKey((i) => chainingKey[i] ?? 0);
  scratch.set(inputKey, BLOCK_BYTES);
  const pseudorandomKey = macOfScratch(inputKey.length);
  padKey((i) => pseudorandomKey.charCodeAt(i));
  scratch[BLOCK_BYTES] = 1;
  putLatin1(macOfScratch(1), chainingKey, 0);
  scratch.set(chainingKey, BLOCK_BYTES);
  scratch[BLOCK_BYTES + DIGEST_BYTES] = 2;
  putLatin1(macOfScratch(DIGEST_BYTES + 1), key, 0);
  scratch.fill(0, 0, BLOCK_BYTES + DIGEST_BYTES + 1);
  outerScratch.fill(0);
}
