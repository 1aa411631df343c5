import { randomUUID } from "node:crypto";
import { isNodeId } from "@starling/crypto-identity";
import { LocalClientError, type Receipt, type SubmitRequest } from "@starling/local-client/server";
import type { NodeInput, NodeOutput } from "@starling/node-core";

type Outcome = Extract<NodeOutput, { type: "receipt" | "failed" }>;
type Open = { readonly resolve: (receipt: Receipt) => void; readonly reject: (error: LocalClientError) => void };

/** What local programs have submitted and not got a receipt for. */
export class Submissions {
  // BOUNDED: by the core, which refuses more than it holds, and by the requests that a connection may have open.
  readonly #open = new Map<string, Open>();
  readonly #feed: (input: NodeInput) => void;
  #closed = false;

  constructor(feed: (input: NodeInput) => void) {
    this.#feed = feed;
  }

  submit({ to, ...message }: SubmitRequest, signal: AbortSignal): Promise<Receipt> {
    if (!isNodeId(to)) {
      throw new LocalClientError("E_BAD_ID", "this is no node id: one has 64 lower-case hexadecimal digits");
    }
    if (this.#closed) throw shuttingDown();
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      signal.addEventListener("abort", () => this.#feed({ type: "cancel", id }), { once: true });
      this.#feed({ type: "submit", id, to, ...message });
    });
  }

  settle(outcome: Outcome): void {
    const open = this.#open.get(outcome.id);
    this.#open.delete(outcome.id);
    if (outcome.type === "receipt") open?.resolve(outcome.receipt);
    else open?.reject(new LocalClientError(outcome.code, outcome.message));
  }

  /** Fails what is open and what may still come with `E_SHUTTING_DOWN`. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#open.values()) reject(shuttingDown());
    this.#open.clear();
  }
}

function shuttingDown(): LocalClientError {
  return new LocalClientError("E_SHUTTING_DOWN", "the daemon is stopping; submit it again once it runs");
}
