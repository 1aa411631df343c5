import type { NodeId } from "@starling/crypto-identity";
import { CONTENT_MAX_BYTES, TOPIC_MAX_BYTES } from "@starling/wire-protocol";
import type { Failure, OutgoingMessage } from "./submission.ts";

// BOUNDED: open submissions; one more fails with E_QUOTA.
const SUBMISSIONS_MAX = 1024;

/** So far a clock that is off is corrected; beyond, its user has to. */
export const CLOCK_MAX_MS = 120_000;

export function clockFailure(offsetMs: number): Failure {
  const seconds = Math.round(offsetMs / 1000);
  return {
    code: "E_CLOCK",
    message: `this machine's clock is off by about ${seconds} s: set it (neighbours refuse our stamps)`,
  };
}

/** Why a message is not taken on at all, if so; each says what to do instead. */
export function outgoingRefusal(
  message: OutgoingMessage,
  outbox: {
    readonly self: NodeId;
    readonly openCount: number;
    readonly isOpen: boolean;
    /** How far the neighbours' clocks are ahead of ours. */
    readonly clockOffsetMs: number;
  },
): Failure | undefined {
  const { content, to } = message;
  if (outbox.isOpen) return { code: "E_DUPLICATE", message: "a submission with this id is open" };
  if (to === outbox.self) return { code: "E_BAD_ID", message: "a node does not send to itself" };
  if (content.length > CONTENT_MAX_BYTES) {
    const text = `content has at most ${CONTENT_MAX_BYTES} bytes, got ${content.length}; send it in parts`;
    return { code: "E_TOO_LARGE", message: text };
  }
  const topicBytes = new TextEncoder().encode(message.topic).length;
  if (topicBytes > TOPIC_MAX_BYTES) {
    return { code: "E_TOO_LARGE", message: `a topic has at most ${TOPIC_MAX_BYTES} bytes, got ${topicBytes}` };
  }
  if (Math.abs(outbox.clockOffsetMs) > CLOCK_MAX_MS) return clockFailure(outbox.clockOffsetMs);
  if (outbox.openCount >= SUBMISSIONS_MAX) {
    return { code: "E_QUOTA", message: `${SUBMISSIONS_MAX} messages are under way; wait for receipts` };
  }
  return undefined;
}
