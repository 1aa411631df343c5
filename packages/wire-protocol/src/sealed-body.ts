// The plaintext inside an envelope's Noise X box, PROTOCOL §7.3: what the recipient alone reads. Padded with zeros so that box
// and overhead (96 B) together have one of the class sizes.
//
//   0 t (16) | 16 message body (see message-body.ts) | zeros
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { WireError } from "./errors.ts";
import { CONTENT_MAX_BYTES, SEALED_BODY_SIZES } from "./limits.ts";
import type { MessageBody } from "./message-body.ts";
import { messageBodySizeBytes, readMessageBody, writeMessageBody } from "./message-body.ts";

/** Size of what opens a lock. */
export const T_BYTES = 16;
/** What Noise X adds: ephemeral 32, static 48, tag 16. */
const BOX_OVERHEAD_BYTES = 96;

/** What is in the box of an envelope (docs/PROTOCOL.md §7). */
export type SealedBody = {
  /** Opens the envelope's lock; revealed by the recipient's SendAck. */
  readonly t: Uint8Array;
  readonly body: MessageBody;
};

/** Encodes and pads to the smallest class that holds it. Throws as `messageBodySizeBytes` does. */
export function encodeSealedBody({ t, body }: SealedBody): Uint8Array {
  const sizeBytes = paddedSizeBytes(T_BYTES + messageBodySizeBytes(body));
  if (sizeBytes === undefined) throw new WireError("E_TOO_LARGE", "the body fits no size class", CONTENT_MAX_BYTES);
  const writer = new ByteWriter(sizeBytes).raw(t, T_BYTES);
  writeMessageBody(writer, body);
  return writer.bytes;
}

/** Reads a body out of an opened box. Canonical: padded with zeros, to the smallest class that holds it. */
export function decodeSealedBody(bytes: Uint8Array): DecodeResult<SealedBody> {
  const reader = new ByteReader(bytes);
  const t = reader.raw(T_BYTES);
  const body = readMessageBody(reader);
  if (!body.ok) return body;
  if (bytes.length !== paddedSizeBytes(bytes.length - reader.remaining)) return undecodable("bad-length");
  if (reader.rest().some((byte) => byte !== 0)) return undecodable("trailing-bytes");
  return decoded({ t, body: body.value });
}

function paddedSizeBytes(neededBytes: number): number | undefined {
  const boxBytes = SEALED_BODY_SIZES.find((size) => size >= neededBytes + BOX_OVERHEAD_BYTES);
  return boxBytes === undefined ? undefined : boxBytes - BOX_OVERHEAD_BYTES;
}
