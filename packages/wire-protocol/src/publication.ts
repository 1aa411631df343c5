// A publication: the payload of a broadcast, PROTOCOL §8. Every node reads it, and believes its origin by the signature.
//
//   0 origin id (32) | 32 timestamp u48 (ms of wall time) | 38 effort u48 | 44 nonce (8) | 52 signature (64)
//   | 116 topic length u8 | 117 content length u16 (0-16384) | 119 topic (UTF-8) | content
//
// digest = SHA-256("starling publication v1" || network length u8 || network || bytes 0-37 || bytes 116-end): all but effort,
// nonce and signature. The stamp is over the digest; the publication id is its first 16 bytes. The XEdDSA signature, in the
// domain "starling publication v1", is over the digest, which binds network, origin, timestamp, topic and content.
import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import { nodeIdFromBytes, nodeIdToBytes, sha256, sign, verify } from "@starling/crypto-identity";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { NONCE_BYTES } from "./envelope.ts";
import { WireError } from "./errors.ts";
import { bytesToHex } from "./hex.ts";
import { PUBLICATION_CONTENT_MAX_BYTES, TOPIC_MAX_BYTES } from "./limits.ts";
import { decodeUtf8 } from "./text.ts";

const DOMAIN = "starling publication v1";
const SIGNATURE_BYTES = 64;
const STAMP_OFFSET = 38;
const SIGNATURE_OFFSET = 52;
const TOPIC_OFFSET = 116;
const FIXED_BYTES = 119;

/** A broadcast as it travels (docs/PROTOCOL.md §8); `effort` in expected hashes, `nonce` 8 bytes, `timestampMs` since 1970. */
export type Publication = {
  readonly origin: NodeId;
  readonly timestampMs: number;
  readonly effort: number;
  readonly nonce: Uint8Array;
  readonly topic: string;
  readonly content: Uint8Array;
  /** The whole publication as it travels. */
  readonly encoded: Uint8Array;
};

/**
 * Signs content for everybody; the stamp is still to be minted over `publicationDigest` and set by `setPublicationStamp`. Throws
 * `E_TOO_LARGE` with the limit for content or topic, `E_BAD_VALUE` for a time or network name out of range, and what `sign` throws.
 */
export function signPublication(options: {
  readonly identity: Identity;
  readonly network: string;
  readonly timestampMs: number;
  readonly topic: string;
  readonly content: Uint8Array;
  readonly random: RandomSource;
}): Uint8Array {
  const { identity, network, timestampMs, content, random } = options;
  const topic = new TextEncoder().encode(options.topic);
  if (content.length > PUBLICATION_CONTENT_MAX_BYTES) {
    const text = `a broadcast has at most ${PUBLICATION_CONTENT_MAX_BYTES} bytes, got ${content.length}`;
    throw new WireError("E_TOO_LARGE", text, PUBLICATION_CONTENT_MAX_BYTES);
  }
  if (topic.length > TOPIC_MAX_BYTES) {
    throw new WireError(
      "E_TOO_LARGE",
      `a topic has at most ${TOPIC_MAX_BYTES} bytes, got ${topic.length}`,
      TOPIC_MAX_BYTES,
    );
  }
  const bytes = new ByteWriter(FIXED_BYTES + topic.length + content.length)
    .raw(nodeIdToBytes(identity.id), 32)
    .u48(timestampMs)
    .raw(new Uint8Array(6 + NONCE_BYTES + SIGNATURE_BYTES))
    .u8(topic.length)
    .u16(content.length)
    .raw(topic)
    .raw(content).bytes;
  bytes.set(sign({ identity, domain: DOMAIN, message: publicationDigest(network, bytes), random }), SIGNATURE_OFFSET);
  return bytes;
}

/**
 * Sets the stamp in place: neither digest nor signature covers these bytes. Throws `E_BAD_VALUE` unless `effort` is an integer
 * below 2^48 and `nonce` has 8 bytes.
 */
export function setPublicationStamp(publication: Uint8Array, effort: number, nonce: Uint8Array): void {
  publication.set(new ByteWriter(6 + NONCE_BYTES).u48(effort).raw(nonce, NONCE_BYTES).bytes, STAMP_OFFSET);
}

/** Reads an untrusted publication without checking stamp or signature. Its parts are views. */
export function decodePublication(bytes: Uint8Array): DecodeResult<Publication> {
  const reader = new ByteReader(bytes);
  const origin = nodeIdFromBytes(reader.raw(32));
  const timestampMs = reader.u48();
  const effort = reader.u48();
  const nonce = reader.raw(NONCE_BYTES);
  reader.raw(SIGNATURE_BYTES);
  const topicBytes = reader.u8();
  const contentBytes = reader.u16();
  const topic = decodeUtf8(reader.raw(topicBytes));
  const content = reader.raw(contentBytes);
  if (reader.failed) return undecodable("too-short");
  if (reader.remaining > 0) return undecodable("trailing-bytes");
  if (origin === undefined) return undecodable("bad-id");
  if (topic === undefined || topicBytes > TOPIC_MAX_BYTES) return undecodable("bad-value");
  if (contentBytes > PUBLICATION_CONTENT_MAX_BYTES) return undecodable("too-long");
  return decoded({ origin, timestampMs, effort, nonce, topic, content, encoded: bytes });
}

/** What stamp and signature are over. */
export function publicationDigest(network: string, encoded: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(network);
  const domain = new TextEncoder().encode(DOMAIN);
  const writer = new ByteWriter(domain.length + 1 + name.length + STAMP_OFFSET + encoded.length - TOPIC_OFFSET);
  writer.raw(domain).u8(name.length).raw(name);
  return sha256(writer.raw(encoded.subarray(0, STAMP_OFFSET)).raw(encoded.subarray(TOPIC_OFFSET)).bytes);
}

/** Hex of the first 16 bytes of the digest. */
export function publicationId(digest: Uint8Array): string {
  return bytesToHex(digest.subarray(0, 16));
}

/** Whether its origin signed it; `digest` is what `publicationDigest` gave for it. */
export function verifyPublication(publication: Publication, digest: Uint8Array): boolean {
  const signature = publication.encoded.subarray(SIGNATURE_OFFSET, TOPIC_OFFSET);
  return verify({ id: publication.origin, domain: DOMAIN, message: digest, signature });
}
