// Frames inside a Data datagram, PROTOCOL §4: as many as fit, one after the other, nothing behind the last.
//
//   0 kind u8 | 1 body length u16 | [3 frame number u32, where the kind's top bit is set] | body
//
// A kind with the top bit set is reliable: it carries a frame number and is acknowledged by the neighbour (PROTOCOL §5.1). The
// bit is part of the kind, so a receiver can skip and acknowledge a kind that it does not know.
//
// Three kinds belong to the session itself and never reach a program:
//   Ack       body: 0 lowest number not received u32 | 4 bitmap (0-64 B): bit i of byte i/8, low bit first, is set when
//             number (lowest + 1 + i) was received. A set bit at the very end only: no trailing zero byte.
//   Fragment  reliable; body: 0 index u8 | 1 count u8 (2-64) | 2 a piece of an encoded frame without its frame number
//             (kind u8, then body). The frame's fragments have consecutive numbers: number - index names the frame.
//   Skip      reliable; empty body: takes the place of a frame, or of a fragment, that its sender gave up, so that the
//             receiver's lowest number can move past it.
import { setU16, setU32, u16At, u32At } from "./big-endian.ts";
import type { DecodeResult } from "./decode-result.ts";
import { decoded, undecodable } from "./decode-result.ts";

/** The byte that says what a frame is (docs/PROTOCOL.md §4); the top bit: it is numbered and acknowledged. */
export const FRAME_KIND = {
  ping: 0x01,
  pong: 0x02,
  lookup: 0x03,
  nodes: 0x04,
  dialBack: 0x05,
  have: 0x06,
  want: 0x07,
  graft: 0x08,
  prune: 0x09,
  probe: 0x0a,
  digest: 0x0b,
  bye: 0x0c,
  ack: 0x0d,
  skip: 0x80,
  send: 0x81,
  sendAck: 0x82,
  sendFail: 0x83,
  publish: 0x84,
  direct: 0x85,
  directAck: 0x86,
  announce: 0x87,
  fragment: 0x88,
} as const;

/** kind 1 + length 2. */
export const FRAME_HEADER_BYTES = 3;
/** kind 1 + length 2 + number 4. */
export const RELIABLE_FRAME_HEADER_BYTES = 7;
/** What a fragment has before its part: index u8, count u8. */
export const FRAGMENT_HEADER_BYTES = 2;
/** Most fragments of one frame. */
export const FRAGMENTS_MAX = 64;
/** Largest bitmap of an Ack. */
export const ACK_BITMAP_MAX_BYTES = 64;

/** A frame as the layers above the session see it: a kind and its body. */
export type Frame = { readonly kind: number; readonly body: Uint8Array };
/** A frame as it stands in a datagram; `number` exactly when the kind is reliable. */
export type NumberedFrame = { readonly kind: number; readonly number: number | undefined; readonly body: Uint8Array };

/** Whether frames of this kind are numbered and acknowledged. */
export function isReliable(kind: number): boolean {
  return (kind & 0x80) !== 0;
}

/** Size of a frame in a datagram, its header included. */
export function frameSizeBytes(kind: number, bodyBytes: number): number {
  return (isReliable(kind) ? RELIABLE_FRAME_HEADER_BYTES : FRAME_HEADER_BYTES) + bodyBytes;
}

/** Writes one frame into `target` at `offset` and returns the offset behind it. The caller has checked that it fits. */
export function writeFrame(target: Uint8Array, offset: number, frame: NumberedFrame): number {
  target[offset] = frame.kind;
  setU16(target, offset + 1, frame.body.length);
  let at = offset + FRAME_HEADER_BYTES;
  if (frame.number !== undefined) {
    setU32(target, at, frame.number);
    at += 4;
  }
  target.set(frame.body, at);
  return at + frame.body.length;
}

/**
 * Splits the plaintext of a Data datagram into frames. Bodies are views. The bytes are authenticated but not trusted: a
 * neighbour may send anything. A malformed tail fails the whole datagram, so that nothing of it is half taken.
 */
export function readFrames(plaintext: Uint8Array): DecodeResult<NumberedFrame[]> {
  const frames: NumberedFrame[] = [];
  let at = 0;
  while (at < plaintext.length) {
    if (at + FRAME_HEADER_BYTES > plaintext.length) return undecodable("too-short");
    const kind = plaintext[at] ?? 0;
    const sizeBytes = frameSizeBytes(kind, u16At(plaintext, at + 1));
    if (at + sizeBytes > plaintext.length) return undecodable("bad-length");
    const reliable = isReliable(kind);
    frames.push({
      kind,
      number: reliable ? u32At(plaintext, at + FRAME_HEADER_BYTES) : undefined,
      body: plaintext.subarray(at + (reliable ? RELIABLE_FRAME_HEADER_BYTES : FRAME_HEADER_BYTES), at + sizeBytes),
    });
    at += sizeBytes;
  }
  return decoded(frames);
}
