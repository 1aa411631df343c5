import type { NodeId } from "@starling/crypto-identity";
import type { Frame, SendFailReason } from "@starling/wire-protocol";
import { encodeMessage, encodeSend, FRAME_KIND, HOP_LIMIT } from "@starling/wire-protocol";
import type { NextHop } from "./next-hop.ts";
import type { PendingEnvelope } from "./pending-envelope.ts";

// The frames of a Send and of what walks back.

export type SendTo = {
  readonly type: "send";
  readonly peer: NodeId;
  readonly frame: Frame;
  /** On a Send: handed back by `undelivered` where the neighbour did not acknowledge the frame. */
  readonly token: number | undefined;
  /** A Send that we are the author of, not one carried for others. */
  readonly own: boolean;
};

export type Failure = {
  readonly reason: SendFailReason;
  readonly detail: number;
  readonly t?: Uint8Array | undefined;
};

export function sendFrame(entry: PendingEnvelope, hop: NextHop): Frame {
  const { encodedEnvelope } = entry;
  const { last, nonImproving } = hop;
  const hops = Math.min(entry.hops, HOP_LIMIT);
  return { kind: FRAME_KIND.send, body: encodeSend({ hops, last, nonImproving, encodedEnvelope }) };
}

export function ackTo(peer: NodeId, entry: PendingEnvelope, t: Uint8Array): SendTo {
  const frame = encodeMessage({ type: "send-ack", t, hops: entry.ackHops });
  return { type: "send", peer, frame, token: undefined, own: false };
}

/** Tells a neighbour that an envelope it handed over goes no further. */
export function failTo(peer: NodeId, lock: Uint8Array, { reason, detail, t }: Failure): SendTo {
  const frame = encodeMessage({ type: "send-fail", lock, reason, detail, t: reason === "full" ? t : undefined });
  return { type: "send", peer, frame, token: undefined, own: false };
}
