// The envelope of a unicast, PROTOCOL §5: all that a relay learns. The sender is nowhere in it.
//
//   0 class u8 (index into SEALED_BODY_SIZES) | 1 recipient id (32) | 33 lock (32) | 65 timestamp u48 (ms of wall time)
//   | 71 effort u48 | 77 nonce (8) | 85 sealed body (256, 512, 1024, 4096, 16384 or 61440)
//
// lock = SHA-256("ack" || t). digest = SHA-256("starling envelope v1" || network length u8 || network || bytes 0-70 ||
// sealed body): everything but effort and nonce, which are what a stamp adds. The stamp is over the digest; the envelope id,
// which is never on the wire, is its first 16 bytes.
import type { NodeId } from "@starling/crypto-identity";
import { nodeIdFromBytes, nodeIdToBytes, sha256 } from "@starling/crypto-identity";
import * as z from "zod";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { bytesToHex } from "./hex.ts";
import { SEALED_BODY_SIZES, TIMESTAMP_MAX } from "./limits.ts";
import { bytesOf, integerUpTo, nodeIdSchema } from "./schemas.ts";

export const ENVELOPE_HEADER_BYTES = 85;
export const LOCK_BYTES = 32;
export const NONCE_BYTES = 8;
const EFFORT_OFFSET = 71;

export type Envelope = {
  readonly recipient: NodeId;
  readonly lock: Uint8Array;
  readonly timestampMs: number;
  /** Expected hashes that the author claims to have paid; an integer below 2^48. */
  readonly effort: number;
  readonly nonce: Uint8Array;
  readonly sealedBody: Uint8Array;
};

export const envelopeSchema: z.ZodType<Envelope> = z.object({
  recipient: nodeIdSchema,
  lock: bytesOf(LOCK_BYTES),
  timestampMs: integerUpTo(TIMESTAMP_MAX),
  effort: integerUpTo(2 ** 48 - 1),
  nonce: bytesOf(NONCE_BYTES),
  sealedBody: z.instanceof(Uint8Array).refine((bytes) => SEALED_BODY_SIZES.includes(bytes.length)),
});

/** Throws `E_BAD_VALUE` where a field has the wrong length: the caller builds envelopes from its own parts. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const sizeClass = SEALED_BODY_SIZES.indexOf(envelope.sealedBody.length);
  if (sizeClass < 0) throw new WireError("E_BAD_VALUE", `no size class of ${envelope.sealedBody.length} bytes`);
  return new ByteWriter(ENVELOPE_HEADER_BYTES + envelope.sealedBody.length)
    .u8(sizeClass)
    .raw(nodeIdToBytes(envelope.recipient), 32)
    .raw(envelope.lock, LOCK_BYTES)
    .u48(envelope.timestampMs)
    .u48(envelope.effort)
    .raw(envelope.nonce, NONCE_BYTES)
    .raw(envelope.sealedBody).bytes;
}

/** Reads an untrusted envelope; its parts are views into `bytes`. */
export function decodeEnvelope(bytes: Uint8Array): DecodeResult<Envelope> {
  const sizeBytes = SEALED_BODY_SIZES[bytes[0] ?? 255];
  if (sizeBytes === undefined) return undecodable("bad-value");
  if (bytes.length !== ENVELOPE_HEADER_BYTES + sizeBytes) return undecodable("bad-length");
  const reader = new ByteReader(bytes, 1);
  const recipient = nodeIdFromBytes(reader.raw(32));
  if (recipient === undefined) return undecodable("bad-id");
  const parsed = envelopeSchema.safeParse({
    recipient,
    lock: reader.raw(LOCK_BYTES),
    timestampMs: reader.u48(),
    effort: reader.u48(),
    nonce: reader.raw(NONCE_BYTES),
    sealedBody: reader.rest(),
  });
  return parsed.success ? decoded(parsed.data) : undecodable("bad-value");
}

/** What a stamp is over: the SHA-256 of an encoded envelope without its effort and nonce. */
export function envelopeDigest(network: string, envelope: Uint8Array): Uint8Array {
  const label = envelopeLabel(network);
  const input = new Uint8Array(label.length + envelope.length - 14);
  input.set(label);
  input.set(envelope.subarray(0, EFFORT_OFFSET), label.length);
  input.set(envelope.subarray(ENVELOPE_HEADER_BYTES), label.length + EFFORT_OFFSET);
  return sha256(input);
}

/** The id by which relays know an envelope that they have seen: hex of the first 16 bytes of its digest. */
export function envelopeId(digest: Uint8Array): string {
  return bytesToHex(digest.subarray(0, 16));
}

/** Sets the stamp of an encoded envelope in place: the digest does not cover these bytes. */
export function setEnvelopeStamp(envelope: Uint8Array, effort: number, nonce: Uint8Array): void {
  envelope.set(new ByteWriter(14).u48(effort).raw(nonce, NONCE_BYTES).bytes, EFFORT_OFFSET);
}

/** The lock that t opens: SHA-256("ack" || t). */
export function lockOf(t: Uint8Array): Uint8Array {
  const input = new Uint8Array(3 + t.length);
  input.set([0x61, 0x63, 0x6b]);
  input.set(t, 3);
  return sha256(input);
}

function envelopeLabel(network: string): Uint8Array {
  const name = new TextEncoder().encode(network);
  const domain = new TextEncoder().encode("starling envelope v1");
  return new ByteWriter(domain.length + 1 + name.length).raw(domain).u8(name.length).raw(name).bytes;
}
