// The plaintext inside an envelope's Noise X box, PROTOCOL §5: what the recipient alone reads. Padded with zeros so that box
// and overhead (96 B) together have one of the class sizes.
//
//   0 kind u8 (0 message, 1 request, 2 reply, 3 signal) | 1 messageId (16) | 17 created u48 | 23 expires u48 (<= created +
//   10 min) | 29 t (16) | 45 stream (8) | 53 seq u32 | 57 lowest unsettled seq u32 | 61 request id (16, zeros unless a reply)
//   | 77 topic length u8 | 78 content length u16 | 80 topic (UTF-8) | content | zeros
import * as z from "zod";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { CONTENT_MAX_BYTES, SEALED_BODY_SIZES, TIMESTAMP_MAX, TOPIC_MAX_BYTES } from "./limits.ts";
import { bytesOf, bytesUpTo, integerUpTo } from "./schemas.ts";

export const T_BYTES = 16;
export const MESSAGE_ID_BYTES = 16;
export const STREAM_BYTES = 8;
/** A message lives at most this long after its creation. */
export const LIFETIME_MAX_MS = 600_000;
/** What Noise X adds: ephemeral 32, static 48, tag 16. */
const BOX_OVERHEAD_BYTES = 96;
const FIXED_BYTES = 80;
const KINDS = ["message", "request", "reply", "signal"] as const;

export type SealedBodyKind = (typeof KINDS)[number];

export type SealedBody = {
  readonly kind: SealedBodyKind;
  readonly messageId: Uint8Array;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Opens the envelope's lock; revealed by the recipient's SendAck. */
  readonly t: Uint8Array;
  /** One per source process, recipient and topic: order is kept within it. */
  readonly stream: Uint8Array;
  readonly seq: number;
  readonly lowestUnsettledSeq: number;
  /** The messageId of the request that a reply answers; 16 zeros otherwise. */
  readonly requestId: Uint8Array;
  readonly topic: string;
  readonly content: Uint8Array;
};

export const sealedBodySchema: z.ZodType<SealedBody> = z
  .object({
    kind: z.enum(KINDS),
    messageId: bytesOf(MESSAGE_ID_BYTES),
    createdMs: integerUpTo(TIMESTAMP_MAX),
    expiresMs: integerUpTo(TIMESTAMP_MAX),
    t: bytesOf(T_BYTES),
    stream: bytesOf(STREAM_BYTES),
    seq: integerUpTo(0xffff_ffff),
    lowestUnsettledSeq: integerUpTo(0xffff_ffff),
    requestId: bytesOf(MESSAGE_ID_BYTES),
    topic: z.string().max(TOPIC_MAX_BYTES),
    content: bytesUpTo(CONTENT_MAX_BYTES),
  })
  .refine((body) => body.expiresMs >= body.createdMs && body.expiresMs <= body.createdMs + LIFETIME_MAX_MS);

/**
 * Encodes and pads to the smallest class that holds it. Throws `E_TOO_LARGE` with the limit for content or topic, `E_BAD_VALUE`
 * for the rest.
 */
export function encodeSealedBody(body: SealedBody): Uint8Array {
  const topic = new TextEncoder().encode(body.topic);
  if (topic.length > TOPIC_MAX_BYTES) {
    throw new WireError(
      "E_TOO_LARGE",
      `a topic has at most ${TOPIC_MAX_BYTES} bytes, got ${topic.length}`,
      TOPIC_MAX_BYTES,
    );
  }
  if (body.content.length > CONTENT_MAX_BYTES) {
    const text = `content has at most ${CONTENT_MAX_BYTES} bytes, got ${body.content.length}`;
    throw new WireError("E_TOO_LARGE", text, CONTENT_MAX_BYTES);
  }
  if (!sealedBodySchema.safeParse(body).success)
    throw new WireError("E_BAD_VALUE", "a field of the body is out of range");
  const needed = FIXED_BYTES + topic.length + body.content.length + BOX_OVERHEAD_BYTES;
  const sizeBytes = SEALED_BODY_SIZES.find((size) => size >= needed);
  if (sizeBytes === undefined) throw new WireError("E_TOO_LARGE", "the body fits no size class", CONTENT_MAX_BYTES);
  return new ByteWriter(sizeBytes - BOX_OVERHEAD_BYTES)
    .u8(KINDS.indexOf(body.kind))
    .raw(body.messageId)
    .u48(body.createdMs)
    .u48(body.expiresMs)
    .raw(body.t)
    .raw(body.stream)
    .u32(body.seq)
    .u32(body.lowestUnsettledSeq)
    .raw(body.requestId)
    .u8(topic.length)
    .u16(body.content.length)
    .raw(topic)
    .raw(body.content).bytes;
}

/** Reads a body out of an opened box. Its author is authenticated, its values are untrusted. Canonical: padding must be zeros. */
export function decodeSealedBody(bytes: Uint8Array): DecodeResult<SealedBody> {
  const reader = new ByteReader(bytes);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) return undecodable("bad-value");
  const fields = {
    kind,
    messageId: reader.raw(MESSAGE_ID_BYTES),
    createdMs: reader.u48(),
    expiresMs: reader.u48(),
    t: reader.raw(T_BYTES),
    stream: reader.raw(STREAM_BYTES),
    seq: reader.u32(),
    lowestUnsettledSeq: reader.u32(),
    requestId: reader.raw(MESSAGE_ID_BYTES),
  };
  const topicBytes = reader.u8();
  const contentBytes = reader.u16();
  const topic = decodeUtf8(reader.raw(topicBytes));
  const content = reader.raw(contentBytes);
  if (reader.failed) return undecodable("too-short");
  if (topic === undefined || topicBytes > TOPIC_MAX_BYTES) return undecodable("bad-value");
  if (reader.rest().some((byte) => byte !== 0)) return undecodable("trailing-bytes");
  const parsed = sealedBodySchema.safeParse({ ...fields, topic, content });
  return parsed.success ? decoded(parsed.data) : undecodable("bad-value");
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
