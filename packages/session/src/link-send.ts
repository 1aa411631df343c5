import {
  DATAGRAM_FRAMES_MAX_BYTES,
  FRAME_KIND,
  FRAME_MAX_BYTES,
  type Frame,
  frameSizeBytes,
  isReliable,
  writeFrame,
} from "@starling/wire-protocol";
import { SessionError } from "./errors.ts";
import type { Transmit } from "./event.ts";
import type { SessionLimits } from "./limits.ts";
import type { Link } from "./link.ts";
import { isSessionKind } from "./link-input.ts";
import { fitsOneDatagram, toOutgoing } from "./outgoing.ts";

/** What became of a frame: `full` where it would not wait in the link's queue, `too-large` where no datagram holds it. */
export type SendOutcome = "queued" | "no-session" | "full" | "too-large";

/** Queues an owner's frame on a link. One that must go in fragments is numbered, whatever its kind, since fragments are. */
export function enqueueFrame(
  link: Link | undefined,
  frame: Frame,
  nowMono: number,
  token: number | undefined,
  limits: SessionLimits,
): SendOutcome {
  const { kind, body } = frame;
  if (!Number.isInteger(kind) || kind < 0 || kind > 0xff) {
    throw new SessionError("E_BAD_FRAME", `a frame's kind is one byte, not ${kind}`);
  }
  if (isSessionKind(kind)) {
    throw new SessionError("E_RESERVED_KIND", `frames of kind ${kind} are the session's own; Bye is sent by close`);
  }
  const sizeBytes = frameSizeBytes(kind, body.length);
  if (sizeBytes > FRAME_MAX_BYTES) return "too-large";
  if (link === undefined) return "no-session";
  if (isReliable(kind) || !fitsOneDatagram(kind, body.length)) {
    const outgoing = toOutgoing(frame, token);
    if (!link.sender.hasRoom(outgoing.sizeBytes, limits.queuedFrames, limits.queuedBytes)) return "full";
    link.sender.enqueue(outgoing, nowMono);
    return "queued";
  }
  const isFull = link.unreliable.length >= limits.queuedFrames || link.unreliableBytes + sizeBytes > limits.queuedBytes;
  if (isFull) return "full";
  link.unreliable.push(frame);
  link.unreliableBytes += sizeBytes;
  return "queued";
}

/** The Bye datagram of a link, if its path may carry one. */
export function sealBye(link: Link, body: Uint8Array): Transmit | undefined {
  const sizeBytes = frameSizeBytes(FRAME_KIND.bye, body.length);
  if (sizeBytes > DATAGRAM_FRAMES_MAX_BYTES) throw new SessionError("E_BAD_FRAME", "the Bye does not fit one datagram");
  const frames = new Uint8Array(sizeBytes);
  writeFrame(frames, 0, { kind: FRAME_KIND.bye, number: undefined, body });
  const datagram = link.current.seal(frames);
  return datagram.length <= link.path.roomBytes() ? { to: link.path.address, datagram } : undefined;
}
