// What one program says to another, PROTOCOL §7.3: the same bytes inside a sealed body and in a Direct frame.
//
//   0 kind u8 (0 message, 1 request, 2 reply, 3 signal) | 1 messageId (16) | 17 created u48 | 23 expires u48 (<= created +
//   10 min) | 29 stream (8) | 37 seq u32 | 41 lowest unsettled seq u32 | 45 request id (16, zeros unless a reply)
//   | 61 topic length u8 | 62 content length u16 | 64 topic (UTF-8) | content
import * as z from "zod";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { CONTENT_MAX_BYTES, TIMESTAMP_MAX, TOPIC_MAX_BYTES } from "./limits.ts";
import { bytesOf, bytesUpTo, integerUpTo } from "./schemas.ts";
import { decodeUtf8 } from "./text.ts";

/** Size of a message id. */
export const MESSAGE_ID_BYTES = 16;
/** Size of a stream's name. */
export const STREAM_BYTES = 8;
/** A message lives at most this long after its creation. */
export const LIFETIME_MAX_MS = 600_000;
const FIXED_BYTES = 64;
const KINDS = ["message", "request", "reply", "signal"] as const;

/** What a body is: a message, a request, its reply, or a signal of a daemon. */
export type MessageKind = (typeof KINDS)[number];

/**
 * What a program said, as it stands in a sealed body or a Direct (docs/PROTOCOL.md §7). Times are ms since 1970, `messageId` is
 * 16 bytes.
 */
export type MessageBody = {
  readonly kind: MessageKind;
  readonly messageId: Uint8Array;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** One per source process, recipient and topic: order is kept within it. */
  readonly stream: Uint8Array;
  readonly seq: number;
  readonly lowestUnsettledSeq: number;
  /** The messageId of the request that a reply answers; 16 zeros otherwise. */
  readonly requestId: Uint8Array;
  readonly topic: string;
  readonly content: Uint8Array;
};

/** What the reader and the writer below hold a body to; they do so by themselves, field by field, for every message passes them. */
export const messageBodySchema: z.ZodType<MessageBody> = z
  .object({
    kind: z.enum(KINDS),
    messageId: bytesOf(MESSAGE_ID_BYTES),
    createdMs: integerUpTo(TIMESTAMP_MAX),
    expiresMs: integerUpTo(TIMESTAMP_MAX),
    stream: bytesOf(STREAM_BYTES),
    seq: integerUpTo(0xffff_ffff),
    lowestUnsettledSeq: integerUpTo(0xffff_ffff),
    requestId: bytesOf(MESSAGE_ID_BYTES),
    topic: z.string().refine((topic) => encodeTopic({ topic }).length <= TOPIC_MAX_BYTES),
    content: bytesUpTo(CONTENT_MAX_BYTES),
  })
  .refine(isLifetime)
  .refine(hasFittingRequestId);

const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** Throws `E_TOO_LARGE` with the limit for content or topic, and `E_BAD_VALUE` where the times do not fit together. */
export function messageBodySizeBytes(body: MessageBody): number {
  const topicBytes = encodeTopic(body).length;
  if (topicBytes > TOPIC_MAX_BYTES) {
    throw new WireError(
      "E_TOO_LARGE",
      `a topic has at most ${TOPIC_MAX_BYTES} bytes, got ${topicBytes}`,
      TOPIC_MAX_BYTES,
    );
  }
  if (body.content.length > CONTENT_MAX_BYTES) {
    const text = `content has at most ${CONTENT_MAX_BYTES} bytes, got ${body.content.length}`;
    throw new WireError("E_TOO_LARGE", text, CONTENT_MAX_BYTES);
  }
  if (!isLifetime(body)) throw new WireError("E_BAD_VALUE", "a message lives for 10 minutes at most");
  return FIXED_BYTES + topicBytes + body.content.length;
}

/** Throws `E_BAD_VALUE` for a field that is out of range, and for a request id in anything but a reply. */
export function writeMessageBody(writer: ByteWriter, body: MessageBody): void {
  if (!hasFittingRequestId(body)) throw new WireError("E_BAD_VALUE", "only a reply has a request id");
  const topic = encodeTopic(body);
  writer
    .u8(KINDS.indexOf(body.kind))
    .raw(body.messageId, MESSAGE_ID_BYTES)
    .u48(body.createdMs)
    .u48(body.expiresMs)
    .raw(body.stream, STREAM_BYTES)
    .u32(body.seq)
    .u32(body.lowestUnsettledSeq)
    .raw(body.requestId, MESSAGE_ID_BYTES)
    .u8(topic.length)
    .u16(body.content.length)
    .raw(topic)
    .raw(body.content);
}

/** Reads a body and leaves the reader behind it. Its author is authenticated, its values are untrusted. */
export function readMessageBody(reader: ByteReader): DecodeResult<MessageBody> {
  const kind = KINDS[reader.u8()];
  const fields = {
    messageId: reader.raw(MESSAGE_ID_BYTES),
    createdMs: reader.u48(),
    expiresMs: reader.u48(),
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
  if (kind === undefined || topic === undefined) return undecodable("bad-value");
  if (topicBytes > TOPIC_MAX_BYTES || contentBytes > CONTENT_MAX_BYTES || !isLifetime(fields)) {
    return undecodable("bad-value");
  }
  const body = { kind, ...fields, topic, content };
  return hasFittingRequestId(body) ? decoded(body) : undecodable("bad-value");
}

/** Most messages have none. */
function encodeTopic({ topic }: Pick<MessageBody, "topic">): Uint8Array {
  return topic === "" ? NO_BYTES : encoder.encode(topic);
}

function isLifetime({ createdMs, expiresMs }: Pick<MessageBody, "createdMs" | "expiresMs">): boolean {
  return expiresMs >= createdMs && expiresMs <= createdMs + LIFETIME_MAX_MS;
}

/** That of its request in a reply, zeros in all other kinds. A loop: `every` takes several times as long. */
function hasFittingRequestId({ kind, requestId }: Pick<MessageBody, "kind" | "requestId">): boolean {
  if (kind === "reply") return true;
  for (let i = 0; i < requestId.length; i += 1) if (requestId[i] !== 0) return false;
  return true;
}
