import {
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  frameSizeBytes,
  isReliable,
  RELIABLE_FRAME_HEADER_BYTES,
} from "@starling/wire-protocol";

/** Offsets inside the body of a Send: hops u8, flags u8, then the envelope (envelope.ts of wire-protocol). */
export const SEND_HOPS = 0;
const ENVELOPE = 2;
export const SEND_RECIPIENT: number = ENVELOPE + 1;
export const SEND_LOCK: number = ENVELOPE + 33;
export const SEND_MIN_BYTES: number = ENVELOPE + 85;
/** Offset of the signature inside the body of a Publish: hops u8, flags u8, then the publication (publication.ts). */
export const PUBLISH_SIGNATURE: number = 2 + 52;
export const PUBLISH_MIN_BYTES: number = 2 + 119;
/** Offset of the message id inside the body of a Direct. */
export const DIRECT_MESSAGE_ID = 1;

/** Calls `visit` with kind, and where the body is, for each frame of a session's plaintext. No objects: it runs millions of times. */
export function eachFrame(plaintext: Uint8Array, visit: (kind: number, start: number, end: number) => void): void {
  for (let at = 0; at + FRAME_HEADER_BYTES <= plaintext.length; ) {
    const kind = plaintext[at] as number;
    const bodyBytes = ((plaintext[at + 1] as number) << 8) | (plaintext[at + 2] as number);
    const end = at + frameSizeBytes(kind, bodyBytes);
    if (end > plaintext.length) return;
    visit(kind, at + (isReliable(kind) ? RELIABLE_FRAME_HEADER_BYTES : FRAME_HEADER_BYTES), end);
    at = end;
  }
}

/** A key of a Map from the first 12 of these bytes. */
export function bytesKey(bytes: Uint8Array, offset: number): string {
  let key = "";
  for (let i = 0; i < 12; i += 1) key += String.fromCharCode(bytes[offset + i] as number);
  return key;
}

export const COUNTED_KINDS: ReadonlySet<number> = new Set([
  FRAME_KIND.send,
  FRAME_KIND.sendAck,
  FRAME_KIND.sendFail,
  FRAME_KIND.direct,
  FRAME_KIND.directAck,
]);
