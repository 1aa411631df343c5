// Body of an Ack frame; the byte table stands in frame.ts.
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";
import { ACK_BITMAP_MAX_BYTES } from "./frame.ts";

/** Which reliable frames have been received (docs/PROTOCOL.md §5.1). */
export type Ack = {
  /** The lowest frame number that has not been received: all below it have. */
  readonly lowest: number;
  /** Bit i (low bit first) is set when number lowest + 1 + i has been received. */
  readonly bitmap: Uint8Array;
};

/** Trailing zero bytes of the bitmap are left off: one byte string a value. */
export function encodeAck(ack: Ack): Uint8Array {
  let size = Math.min(ack.bitmap.length, ACK_BITMAP_MAX_BYTES);
  while (size > 0 && ack.bitmap[size - 1] === 0) size -= 1;
  const bytes = new Uint8Array(4 + size);
  new DataView(bytes.buffer).setUint32(0, ack.lowest);
  bytes.set(ack.bitmap.subarray(0, size), 4);
  return bytes;
}

/** The body of an Ack frame: lowest u32, bitmap of up to 64 bytes. */
export function decodeAck(body: Uint8Array): DecodeResult<Ack> {
  if (body.length < 4) return undecodable("too-short");
  if (body.length > 4 + ACK_BITMAP_MAX_BYTES) return undecodable("too-long");
  if (body.length > 4 && body[body.length - 1] === 0) return undecodable("bad-value");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return decoded({ lowest: view.getUint32(0), bitmap: body.subarray(4) });
}
