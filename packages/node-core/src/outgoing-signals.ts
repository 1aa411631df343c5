import type { NodeId } from "@starling/crypto-identity";
import type { OutgoingMessage } from "./submission.ts";

// This node's own signals among the messages of its programs: they go out through the outbox like those, and no program hears of them.

/** How long a signal is tried; the dial it belongs to has 15 s. */
const TIMEOUT_MS = 10_000;
/** No program's id begins so. */
const ID = "\u0000signal:";

export class OutgoingSignals {
  #count = 0;

  next(to: NodeId, content: Uint8Array): OutgoingMessage {
    this.#count += 1;
    const id = `${ID}${this.#count}`;
    return { id, kind: "signal", to, content, topic: "", via: "any", requestId: undefined, timeoutMs: TIMEOUT_MS };
  }
}

/** Whether what the outbox calls so is a signal of our own. */
export function isOutgoingSignal(id: string): boolean {
  return id.startsWith(ID);
}
