// A reliable frame on its way out, whole or in fragments.
import {
  DATAGRAM_FRAMES_MAX_BYTES,
  FRAGMENT_HEADER_BYTES,
  FRAME_KIND,
  type Frame,
  frameSizeBytes,
  type NumberedFrame,
} from "@starling/wire-protocol";
import { toWireNumber } from "./frame-number.ts";
import { FRAGMENT_PIECE_BYTES } from "./limits.ts";
import { reservedBytes } from "./reassembly.ts";

/** A frame as its sender handed it over; unsent, in flight or both, in parts. */
export type Outgoing = {
  readonly kind: number;
  readonly body: Uint8Array;
  readonly token: number | undefined;
  /** 1: sent as it is. More: in that many fragments with consecutive numbers. */
  readonly pieceCount: number;
  /** What it takes of the window and of the queue's limit. */
  readonly sizeBytes: number;
  acknowledgedCount: number;
  /** Last time that a piece of it was acknowledged or it was put into flight. */
  progressMono: number;
};

/** One numbered piece in flight. Without `outgoing` it is a Skip, which only fills its number. */
export type InFlight = {
  readonly number: number;
  outgoing: Outgoing | undefined;
  readonly piece: number;
  /** Stays true of a Skip, so that the window is given back what was taken. */
  readonly isFragment: boolean;
  sizeBytes: number;
  tries: number;
  sentMono: number;
  dueMono: number;
};

export function fitsOneDatagram(kind: number, bodyBytes: number): boolean {
  return frameSizeBytes(kind, bodyBytes) <= DATAGRAM_FRAMES_MAX_BYTES;
}

export function toOutgoing(frame: Frame, token: number | undefined): Outgoing {
  const { kind, body } = frame;
  const whole = fitsOneDatagram(kind, body.length);
  const pieceCount = whole ? 1 : Math.ceil((1 + body.length) / FRAGMENT_PIECE_BYTES);
  const sizeBytes = whole ? frameSizeBytes(kind, body.length) : reservedBytes(pieceCount);
  return { kind, body, token, pieceCount, sizeBytes, acknowledgedCount: 0, progressMono: 0 };
}

/** The frame that an in-flight piece is on the wire. */
export function frameInFlight(entry: InFlight): NumberedFrame {
  const { outgoing } = entry;
  const number = toWireNumber(entry.number);
  if (outgoing === undefined) return { kind: FRAME_KIND.skip, number, body: new Uint8Array(0) };
  if (outgoing.pieceCount === 1) return { kind: outgoing.kind, number, body: outgoing.body };
  return { kind: FRAME_KIND.fragment, number, body: fragmentBody(outgoing, entry.piece) };
}

/** Size of that frame without making it. */
export function inFlightSizeBytes(entry: InFlight): number {
  const { outgoing } = entry;
  if (outgoing === undefined) return frameSizeBytes(FRAME_KIND.skip, 0);
  if (outgoing.pieceCount === 1) return frameSizeBytes(outgoing.kind, outgoing.body.length);
  const start = entry.piece * FRAGMENT_PIECE_BYTES;
  const end = Math.min(start + FRAGMENT_PIECE_BYTES, 1 + outgoing.body.length);
  return frameSizeBytes(FRAME_KIND.fragment, FRAGMENT_HEADER_BYTES + end - start);
}

/** 0 index u8 | 1 count u8 | 2 piece of (kind u8, body): the first piece is led by the kind, so the others lag one byte. */
function fragmentBody(outgoing: Outgoing, piece: number): Uint8Array {
  const start = piece * FRAGMENT_PIECE_BYTES;
  const end = Math.min(start + FRAGMENT_PIECE_BYTES, 1 + outgoing.body.length);
  const bytes = new Uint8Array(FRAGMENT_HEADER_BYTES + end - start);
  bytes[0] = piece;
  bytes[1] = outgoing.pieceCount;
  if (piece === 0) {
    bytes[2] = outgoing.kind;
    bytes.set(outgoing.body.subarray(0, end - 1), 3);
  } else {
    bytes.set(outgoing.body.subarray(start - 1, end - 1), FRAGMENT_HEADER_BYTES);
  }
  return bytes;
}
