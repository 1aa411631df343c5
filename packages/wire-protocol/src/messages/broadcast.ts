// Publish, Have, Want, Graft, Prune and Digest, PROTOCOL §8.
//
//   Publish body     0 hops u8 (links gone before this one, <= 32) | 1 flags u8 (bit 0: answers a Want, or goes out
//                    again) | 2 publication
//   Have, Want body  0 count u8 (1-64) | short ids (8 each): the first 8 bytes of a publication id
//   Graft, Prune     empty: the sender wants to be, or no longer wants to be, in our tree
//   Digest body      0 from u48 | 6 to u48 (authors' time in ms, from <= to) | 12 count u16 | 14 combined (8): the exclusive
//                    or of the short ids of the publications with from <= timestamp < to that the sender has had
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import type { DecodeResult } from "../decode-result.ts";
import { decoded, undecodable } from "../decode-result.ts";
import { WireError } from "../errors.ts";
import { bytesToHex, hexToBytes } from "../hex.ts";
import type { Publication } from "../publication.ts";
import { decodePublication } from "../publication.ts";

/** A publication that has gone over this many links is not forwarded again. */
export const PUBLISH_HOPS_MAX = 32;
/** Size of a short id: the beginning of a publication's id. */
export const SHORT_ID_BYTES = 8;
/** Most short ids of one Have or Want. */
export const SHORT_IDS_MAX = 64;

/**
 * A publication on its way (docs/PROTOCOL.md §8); `hops` 0 to 32, `wanted`: it answers a Want, or its author minted it again, so
 * that who had it already prunes nothing.
 */
export type Publish = {
  readonly type: "publish";
  readonly hops: number;
  readonly wanted: boolean;
  readonly publication: Publication;
};
/** Short ids are the first 16 hex digits of publication ids. */
export type Have = { readonly type: "have"; readonly shortIds: readonly string[] };
/** Publications that a Have named and that are missing: short ids as 16 hex digits. */
export type Want = { readonly type: "want"; readonly shortIds: readonly string[] };
/** This link is to bring publications from now on (docs/PROTOCOL.md §8). */
export type Graft = { readonly type: "graft" };
/** This link need not bring publications (docs/PROTOCOL.md §8). */
export type Prune = { readonly type: "prune" };
/** What was published in a span of time, in short (docs/PROTOCOL.md §8): its count and the XOR of its short ids. */
export type Digest = {
  readonly type: "digest";
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  /** 16 hex digits. */
  readonly combined: string;
};

export function encodePublish(publish: Publish): Uint8Array {
  const { encoded } = publish.publication;
  return new ByteWriter(2 + encoded.length)
    .u8(publish.hops)
    .u8(publish.wanted ? 1 : 0)
    .raw(encoded).bytes;
}

export function decodePublish(body: Uint8Array): DecodeResult<Publish> {
  const hops = body[0];
  const flags = body[1];
  if (hops === undefined || flags === undefined) return undecodable("too-short");
  if (hops > PUBLISH_HOPS_MAX || flags > 1) return undecodable("bad-value");
  const publication = decodePublication(body.subarray(2));
  if (!publication.ok) return publication;
  return decoded({ type: "publish", hops, wanted: flags === 1, publication: publication.value });
}

export function encodeShortIds(shortIds: readonly string[]): Uint8Array {
  if (shortIds.length < 1 || shortIds.length > SHORT_IDS_MAX) {
    throw new WireError("E_BAD_VALUE", `1 to ${SHORT_IDS_MAX} short ids, got ${shortIds.length}`);
  }
  const writer = new ByteWriter(1 + SHORT_ID_BYTES * shortIds.length).u8(shortIds.length);
  for (const shortId of shortIds) writer.raw(hexToBytes(shortId, SHORT_ID_BYTES) ?? new Uint8Array(0), SHORT_ID_BYTES);
  return writer.bytes;
}

export function decodeShortIds(body: Uint8Array): DecodeResult<readonly string[]> {
  const count = body[0];
  if (count === undefined) return undecodable("too-short");
  if (count < 1 || count > SHORT_IDS_MAX) return undecodable("bad-value");
  if (body.length !== 1 + SHORT_ID_BYTES * count) return undecodable("bad-length");
  const reader = new ByteReader(body, 1);
  return decoded(Array.from({ length: count }, () => bytesToHex(reader.raw(SHORT_ID_BYTES))));
}

export function decodeEmpty<T extends Graft | Prune>(body: Uint8Array, message: T): DecodeResult<T> {
  return body.length === 0 ? decoded(message) : undecodable("trailing-bytes");
}

export function encodeDigest({ fromMs, toMs, count, combined }: Digest): Uint8Array {
  const bytes = hexToBytes(combined, SHORT_ID_BYTES) ?? new Uint8Array(0);
  return new ByteWriter(14 + SHORT_ID_BYTES).u48(fromMs).u48(toMs).u16(count).raw(bytes, SHORT_ID_BYTES).bytes;
}

export function decodeDigest(body: Uint8Array): DecodeResult<Digest> {
  const reader = new ByteReader(body);
  const fromMs = reader.u48();
  const toMs = reader.u48();
  const count = reader.u16();
  const combined = bytesToHex(reader.raw(SHORT_ID_BYTES));
  if (reader.failed) return undecodable("too-short");
  if (reader.remaining > 0) return undecodable("trailing-bytes");
  if (fromMs > toMs) return undecodable("bad-value");
  return decoded({ type: "digest", fromMs, toMs, count, combined });
}
