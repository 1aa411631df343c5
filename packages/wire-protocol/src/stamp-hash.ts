// What a stamp is judged by, PROTOCOL §7.4, in its plainest form; the hashcash package mints and verifies the same thing fast.
//
//   0 "starling stamp v1", padded with zeros (24) | 24 digest (32) | 56 effort u64 (top 16 bits zero) | 64 nonce (8)
//
// A stamp is valid iff the first 64 bits of the SHA-256 of these 72 bytes, as a big-endian integer, times the effort, are at
// most 2^64.
import { sha256 } from "@starling/crypto-identity";
import { ByteWriter } from "./byte-writer.ts";
import { NONCE_BYTES } from "./envelope.ts";

const TAG = "starling stamp v1";
const TAG_BYTES = 24;
const DIGEST_BYTES = 32;

/** The hash of a stamp, 32 bytes. Throws `E_BAD_VALUE` for a digest, an effort or a nonce of the wrong size. */
export function stampHash(stamp: {
  /** `envelopeDigest` or `publicationDigest`. */
  readonly digest: Uint8Array;
  readonly effort: number;
  readonly nonce: Uint8Array;
}): Uint8Array {
  const tag = new Uint8Array(TAG_BYTES);
  tag.set(new TextEncoder().encode(TAG));
  const writer = new ByteWriter(TAG_BYTES + DIGEST_BYTES + 8 + NONCE_BYTES);
  writer.raw(tag).raw(stamp.digest, DIGEST_BYTES).u16(0).u48(stamp.effort).raw(stamp.nonce, NONCE_BYTES);
  return sha256(writer.bytes);
}

/** Bytes as one unsigned integer, the first byte the highest: a hash or an id as it is compared. */
export function bigEndianInteger(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
