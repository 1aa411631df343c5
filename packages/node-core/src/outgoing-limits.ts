import type { NodeId } from "@starling/crypto-identity";
import { CONTENT_MAX_BYTES, TOPIC_MAX_BYTES } from "@starling/wire-protocol";
import type { Failure, OutgoingMessage } from "./submission.ts";

// BOUNDED: open submissions; one more fails with E_QUOTA.
const SUBMISSIONS_MAX = 1024;

/** Why a message is not taken on at all, if so; each says what to do instead. */
export function outgoingRefusal(
  message: OutgoingMessage,
  outbox: { readonly self: NodeId; readonly openCount: number; readonly isOpen: boolean },
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
  if (outbox.openCount >= SUBMISSIONS_MAX) {
    return { code: "E_QUOTA", message: `${SUBMISSIONS_MAX} messages are under way; wait for receipts` };
  }
  return undefined;
}
