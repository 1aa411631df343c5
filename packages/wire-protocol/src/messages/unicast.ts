// Send, SendAck and SendFail, PROTOCOL §7.1. A Send's two header bytes are all of it that a relay may change.
//
//   Send body      0 hops u8 (links gone before this one, <= 24) | 1 flags u8 (bit 0 last: no further deflection; bits 1-3
//                  non-improving steps so far, 0-4) | 2 envelope
//   SendAck body   0 t (16): opens the envelope's lock | 16 hops u8 (links the Send went over; advisory, <= 24)
//   SendFail body  0 lock of the envelope (32) | 32 reason u8 | 33 detail u48 (price for `price` and `shed`, freshness bound for
//                  `stale`, else 0) | 39 t (16), for `full` only
import * as z from "zod";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import type { DecodeResult } from "../decode-result.ts";
import { decoded, undecodable } from "../decode-result.ts";
import type { Envelope } from "../envelope.ts";
import { envelopeSchema, LOCK_BYTES, readEnvelope } from "../envelope.ts";
import { WireError } from "../errors.ts";
import { HOP_LIMIT, TIMESTAMP_MAX } from "../limits.ts";
import { bytesOf, integerUpTo } from "../schemas.ts";
import { T_BYTES } from "../sealed-body.ts";
import { takeBytes } from "../slab.ts";

/** Steps that bring a Send no closer to its recipient; forwarders may take this many in all. */
export const NON_IMPROVING_MAX = 4;
const SEND_HEADER_BYTES = 2;

/**
 * An envelope on its way (docs/PROTOCOL.md §7): links gone so far, and how many of them did not come closer. `last`: it is not
 * deflected any more.
 */
export type Send = {
  readonly type: "send";
  readonly hops: number;
  readonly last: boolean;
  readonly nonImproving: number;
  readonly envelope: Envelope;
  /** The envelope as encoded: what is forwarded and what the digest is over. */
  readonly encodedEnvelope: Uint8Array;
};
/** Proof of delivery on its way back (docs/PROTOCOL.md §7): SHA-256("ack" ‖ t) is the envelope's lock. */
export type SendAck = { readonly type: "send-ack"; readonly t: Uint8Array; readonly hops: number };

const FAIL_REASONS = [
  "absent",
  "loop",
  "seen",
  "stale",
  "price",
  "shed",
  "no-inbox",
  "full",
  "hop-limit",
  "no-route",
  "bad-stamp",
] as const;
/** Why an envelope was not taken or delivered. */
export type SendFailReason = (typeof FAIL_REASONS)[number];
/**
 * Why an envelope was not taken or delivered (docs/PROTOCOL.md §7); `detail`: the effort that would do, the freshness bound, or
 * 0, as the reason says.
 */
export type SendFail = {
  readonly type: "send-fail";
  readonly lock: Uint8Array;
  readonly reason: SendFailReason;
  readonly detail: number;
  /** With `full`: proof that the recipient itself answered. */
  readonly t: Uint8Array | undefined;
};

/** Checks a Send. */
export const sendSchema: z.ZodType<Send> = z.object({
  type: z.literal("send"),
  hops: integerUpTo(HOP_LIMIT),
  last: z.boolean(),
  nonImproving: integerUpTo(NON_IMPROVING_MAX),
  envelope: envelopeSchema,
  encodedEnvelope: z.instanceof(Uint8Array),
});
/** Checks a SendAck. */
export const sendAckSchema: z.ZodType<SendAck> = z.object({
  type: z.literal("send-ack"),
  t: bytesOf(T_BYTES),
  hops: integerUpTo(HOP_LIMIT),
});
/** Checks a SendFail. */
export const sendFailSchema: z.ZodType<SendFail> = z
  .object({
    type: z.literal("send-fail"),
    lock: bytesOf(LOCK_BYTES),
    reason: z.enum(FAIL_REASONS),
    detail: integerUpTo(TIMESTAMP_MAX),
    t: z.union([bytesOf(T_BYTES), z.undefined()]),
  })
  .refine((fail) => (fail.t !== undefined) === (fail.reason === "full"));

/** Throws `E_BAD_VALUE` for hops or steps out of range. */
export function encodeSend(send: Pick<Send, "hops" | "last" | "nonImproving" | "encodedEnvelope">): Uint8Array {
  const { hops, last, nonImproving, encodedEnvelope } = send;
  if (!(isUpTo(hops, HOP_LIMIT) && isUpTo(nonImproving, NON_IMPROVING_MAX))) {
    throw new WireError("E_BAD_VALUE", `no Send has ${hops} hops and ${nonImproving} steps`);
  }
  const bytes = takeBytes(SEND_HEADER_BYTES + encodedEnvelope.length);
  bytes[0] = hops;
  bytes[1] = (last ? 1 : 0) | (nonImproving << 1);
  bytes.set(encodedEnvelope, SEND_HEADER_BYTES);
  return bytes;
}

/** The body of a Send; `encodedEnvelope` is a view of it. */
export function decodeSend(body: Uint8Array): DecodeResult<Send> {
  const hops = body[0];
  const flags = body[1];
  if (hops === undefined || flags === undefined) return undecodable("too-short");
  const nonImproving = flags >> 1;
  if (hops > HOP_LIMIT || nonImproving > NON_IMPROVING_MAX) return undecodable("bad-value");
  const envelope = readEnvelope(body, SEND_HEADER_BYTES);
  if (!envelope.ok) return envelope;
  const encodedEnvelope = body.subarray(SEND_HEADER_BYTES);
  return decoded({
    type: "send",
    hops,
    last: (flags & 1) === 1,
    nonImproving,
    envelope: envelope.value,
    encodedEnvelope,
  });
}

/** The body of a SendAck. */
export function encodeSendAck(ack: SendAck): Uint8Array {
  return new ByteWriter(17).raw(ack.t, T_BYTES).u8(ack.hops).bytes;
}

/** The body of a SendAck: 17 bytes. */
export function decodeSendAck(body: Uint8Array): DecodeResult<SendAck> {
  if (body.length !== 17) return undecodable("bad-length");
  // By hand, like a Send (docs/decisions, "Hot frames are checked by hand"): one walks back for every Send forwarded.
  const hops = body[T_BYTES] ?? 0xff;
  if (hops > HOP_LIMIT) return undecodable("bad-value");
  return decoded({ type: "send-ack", t: body.subarray(0, T_BYTES), hops });
}

/** The body of a SendFail. */
export function encodeSendFail(fail: SendFail): Uint8Array {
  const writer = new ByteWriter(fail.t === undefined ? 39 : 55)
    .raw(fail.lock, LOCK_BYTES)
    .u8(FAIL_REASONS.indexOf(fail.reason))
    .u48(fail.detail);
  if (fail.t !== undefined) writer.raw(fail.t, T_BYTES);
  return writer.bytes;
}

/** The body of a SendFail: 39 bytes, 55 under `full`. */
export function decodeSendFail(body: Uint8Array): DecodeResult<SendFail> {
  if (body.length !== 39 && body.length !== 55) return undecodable("bad-length");
  const reason = FAIL_REASONS[body[LOCK_BYTES] ?? 0xff];
  if (reason === undefined || (reason === "full") !== (body.length === 55)) return undecodable("bad-value");
  const reader = new ByteReader(body);
  const parsed = sendFailSchema.safeParse({
    type: "send-fail",
    lock: reader.raw(LOCK_BYTES),
    reason: FAIL_REASONS[reader.u8()],
    detail: reader.u48(),
    t: reader.remaining > 0 ? reader.raw(T_BYTES) : undefined,
  });
  return parsed.success ? decoded(parsed.data) : undecodable("bad-value");
}

function isUpTo(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
