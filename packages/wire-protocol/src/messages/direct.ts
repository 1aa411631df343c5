// Direct and DirectAck, PROTOCOL §7.5: content between the two ends of a link, never forwarded; no stamp, no box.
//
//   Direct body     0 message body (see message-body.ts), nothing behind it
//   DirectAck body  0 messageId (16) | 16 result u8 (0 ok: written, 1 full, 2 no-inbox: a relay's)
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import type { DecodeResult } from "../decode-result.ts";
import { decoded, undecodable } from "../decode-result.ts";
import type { MessageBody } from "../message-body.ts";
import { MESSAGE_ID_BYTES, messageBodySizeBytes, readMessageBody, writeMessageBody } from "../message-body.ts";

/** A message to the neighbour itself (docs/PROTOCOL.md §7): the link seals it, no stamp is needed. */
export type Direct = { readonly type: "direct"; readonly body: MessageBody };
const RESULTS = ["ok", "full", "no-inbox"] as const;
/** `ok` is a receipt; the others are refusals. */
export type DirectResult = (typeof RESULTS)[number];
/** What became of a Direct, by its 16-byte message id. */
export type DirectAck = { readonly type: "direct-ack"; readonly messageId: Uint8Array; readonly result: DirectResult };

/** Throws as `messageBodySizeBytes` does. */
export function encodeDirect(direct: Direct): Uint8Array {
  const writer = new ByteWriter(messageBodySizeBytes(direct.body));
  writeMessageBody(writer, direct.body);
  return writer.bytes;
}

export function decodeDirect(bytes: Uint8Array): DecodeResult<Direct> {
  const reader = new ByteReader(bytes);
  const body = readMessageBody(reader);
  if (!body.ok) return body;
  return reader.remaining > 0 ? undecodable("trailing-bytes") : decoded({ type: "direct", body: body.value });
}

export function encodeDirectAck(ack: DirectAck): Uint8Array {
  return new ByteWriter(MESSAGE_ID_BYTES + 1).raw(ack.messageId, MESSAGE_ID_BYTES).u8(RESULTS.indexOf(ack.result))
    .bytes;
}

export function decodeDirectAck(bytes: Uint8Array): DecodeResult<DirectAck> {
  if (bytes.length !== MESSAGE_ID_BYTES + 1) return undecodable("bad-length");
  const result = RESULTS[bytes[MESSAGE_ID_BYTES] ?? 255];
  if (result === undefined) return undecodable("bad-value");
  return decoded({ type: "direct-ack", messageId: bytes.subarray(0, MESSAGE_ID_BYTES), result });
}
