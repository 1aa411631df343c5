// The envelope of a unicast, PROTOCOL §7.2: all that a relay learns. The sender is nowhere in it.
//
//   0 class u8 (index into SEALED_BODY_SIZES) | 1 recipient id (32) | 33 lock (32) | 65 timestamp u48 (ms of wall time)
//   | 71 effort u48 | 77 nonce (8) | 85 sealed body (256, 512, 1024, 4096, 16384 or 61440)
//
// lock = SHA-256("ack" || t). digest = SHA-256("starling envelope v1" || network length u8 || network || bytes 0-70 ||
// sealed body): everything but effort and nonce, which are what a stamp adds. The stamp is over the digest; the envelope id,
// which is never on the wire, is its first 16 bytes.
import type { NodeId } from "@starling/crypto-identity";
import { nodeIdAt, sha256, writeNodeId } from "@starling/crypto-identity";
import * as z from "zod";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { bytesToHex } from "./hex.ts";
import { SEALED_BODY_SIZES, TIMESTAMP_MAX } from "./limits.ts";
import { bytesOf, integerUpTo, nodeIdSchema } from "./schemas.ts";
import { takeBytes } from "./slab.ts";
import { readU48, writeU48 } from "./u48.ts";

/** An envelope before its sealed body. */
export const ENVELOPE_HEADER_BYTES = 85;
/** Size of a lock. */
export const LOCK_BYTES = 32;
/** Size of a stamp's nonce. */
export const NONCE_BYTES = 8;
const RECIPIENT_OFFSET = 1;
const LOCK_OFFSET = 33;
const TIMESTAMP_OFFSET = 65;
const EFFORT_OFFSET = 71;
const NONCE_OFFSET = 77;

/**
 * A unicast as relays see it (docs/PROTOCOL.md §7): no author. `lock` 32 bytes, `nonce` 8, `sealedBody` one of
 * SEALED_BODY_SIZES.
 */
export type Envelope = {
  readonly recipient: NodeId;
  readonly lock: Uint8Array;
  readonly timestampMs: number;
  /** Expected hashes that the author claims to have paid; an integer below 2^48. */
  readonly effort: number;
  readonly nonce: Uint8Array;
  readonly sealedBody: Uint8Array;
};

/** Checks an Envelope. */
export const envelopeSchema: z.ZodType<Envelope> = z.object({
  recipient: nodeIdSchema,
  lock: bytesOf(LOCK_BYTES),
  timestampMs: integerUpTo(TIMESTAMP_MAX),
  effort: integerUpTo(2 ** 48 - 1),
  nonce: bytesOf(NONCE_BYTES),
  sealedBody: z.instanceof(Uint8Array).refine((bytes) => SEALED_BODY_SIZES.includes(bytes.length)),
});

/** Throws `E_BAD_VALUE`, or `E_BAD_ID`, where a field is out of range: the caller builds envelopes from its own parts. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { recipient, lock, timestampMs, effort, nonce, sealedBody } = envelope;
  const sizeClass = sizeClassOf(sealedBody.length);
  const isInRange = lock.length === LOCK_BYTES && nonce.length === NONCE_BYTES && isU48(timestampMs) && isU48(effort);
  if (sizeClass < 0 || !isInRange) throw new WireError("E_BAD_VALUE", "a field of the envelope is out of range");
  const bytes = takeBytes(ENVELOPE_HEADER_BYTES + sealedBody.length);
  bytes[0] = sizeClass;
  writeNodeId(recipient, bytes, RECIPIENT_OFFSET);
  bytes.set(lock, LOCK_OFFSET);
  writeU48(bytes, TIMESTAMP_OFFSET, timestampMs);
  writeU48(bytes, EFFORT_OFFSET, effort);
  bytes.set(nonce, NONCE_OFFSET);
  bytes.set(sealedBody, ENVELOPE_HEADER_BYTES);
  return bytes;
}

/** Reads an untrusted envelope; its parts are views into `bytes`. */
export function decodeEnvelope(bytes: Uint8Array): DecodeResult<Envelope> {
  return readEnvelope(bytes, 0);
}

/**
 * The same from `offset` to the end. By hand, for every forwarded Send passes here: it takes exactly what envelopeSchema does, by
 * a test (docs/decisions, "Hot frames are checked by hand").
 */
export function readEnvelope(bytes: Uint8Array, offset: number): DecodeResult<Envelope> {
  const sizeBytes = SEALED_BODY_SIZES[bytes[offset] ?? 255];
  if (sizeBytes === undefined) return undecodable("bad-value");
  if (bytes.length - offset !== ENVELOPE_HEADER_BYTES + sizeBytes) return undecodable("bad-length");
  const recipient = nodeIdAt(bytes, offset + RECIPIENT_OFFSET);
  if (recipient === undefined) return undecodable("bad-id");
  const { buffer } = bytes;
  const at = bytes.byteOffset + offset;
  return decoded({
    recipient,
    // Views made so take two thirds of the time of subarray.
    lock: new Uint8Array(buffer, at + LOCK_OFFSET, LOCK_BYTES),
    timestampMs: readU48(bytes, offset + TIMESTAMP_OFFSET),
    effort: readU48(bytes, offset + EFFORT_OFFSET),
    nonce: new Uint8Array(buffer, at + NONCE_OFFSET, NONCE_BYTES),
    sealedBody: new Uint8Array(buffer, at + ENVELOPE_HEADER_BYTES, sizeBytes),
  });
}

/** What a stamp is over: the SHA-256 of an encoded envelope without its effort and nonce. */
export function envelopeDigest(network: string, envelope: Uint8Array): Uint8Array {
  const label = envelopeLabel(network);
  const sizeBytes = label.length + envelope.length;
  const input = sizeBytes > digestScratch.length ? new Uint8Array(sizeBytes) : digestScratch;
  input.set(label);
  // All of it, then what lies behind effort and nonce over them: a copy costs less than the views for two.
  input.set(envelope, label.length);
  input.copyWithin(label.length + EFFORT_OFFSET, label.length + ENVELOPE_HEADER_BYTES, sizeBytes);
  return sha256(input.subarray(0, sizeBytes - (ENVELOPE_HEADER_BYTES - EFFORT_OFFSET)));
}

/** An array of an envelope's size each time would cost as much as hashing it. */
const digestScratch = new Uint8Array(8_192);

/** The id by which relays know an envelope that they have seen: hex of the first 16 bytes of its digest. */
export function envelopeId(digest: Uint8Array): string {
  return bytesToHex(digest.subarray(0, 16));
}

/**
 * Sets the stamp of an encoded envelope in place: the digest does not cover these bytes. Throws `E_BAD_VALUE` unless `effort` is
 * an integer below 2^48 and `nonce` has 8 bytes.
 */
export function setEnvelopeStamp(envelope: Uint8Array, effort: number, nonce: Uint8Array): void {
  envelope.set(new ByteWriter(14).u48(effort).raw(nonce, NONCE_BYTES).bytes, EFFORT_OFFSET);
}

/** The lock that t opens: SHA-256("ack" || t). */
export function lockOf(t: Uint8Array): Uint8Array {
  const input = new Uint8Array(3 + t.length);
  input[0] = 0x61;
  input[1] = 0x63;
  input[2] = 0x6b;
  input.set(t, 3);
  return sha256(input);
}

// A process has one network, or few: what it adds to every digest is made once.
let labelNetwork: string | undefined;
let label: Uint8Array = new Uint8Array(0);

function envelopeLabel(network: string): Uint8Array {
  if (network === labelNetwork) return label;
  const name = new TextEncoder().encode(network);
  const domain = new TextEncoder().encode("starling envelope v1");
  label = new ByteWriter(domain.length + 1 + name.length).raw(domain).u8(name.length).raw(name).bytes;
  labelNetwork = network;
  return label;
}

function isU48(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= TIMESTAMP_MAX;
}

/** -1 for no class. A loop: indexOf takes as long as two of the copies. */
function sizeClassOf(sizeBytes: number): number {
  for (let i = 0; i < SEALED_BODY_SIZES.length; i += 1) if (SEALED_BODY_SIZES[i] === sizeBytes) return i;
  return -1;
}
