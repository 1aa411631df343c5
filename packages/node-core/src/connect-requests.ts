import type { NodeId } from "@starling/crypto-identity";
import type { NodeOutput } from "./output.ts";

// Programs that asked for a link to a peer, a channel or a session, and wait to hear of it.

// BOUNDED: one more fails with E_QUOTA.
const WAITING_MAX = 256;

export class ConnectRequests {
  readonly #waiting = new Map<NodeId, string[]>();
  #count = 0;

  /** False where too many wait. */
  add(peer: NodeId, id: string): boolean {
    if (this.#count >= WAITING_MAX) return false;
    this.#count += 1;
    this.#waiting.set(peer, [...(this.#waiting.get(peer) ?? []), id]);
    return true;
  }

  isWaitedFor(peer: NodeId): boolean {
    return this.#waiting.has(peer);
  }

  opened(peer: NodeId): NodeOutput[] {
    return this.#take(peer).map((id) => ({ type: "connected", id, peer }));
  }

  failed(peer: NodeId, code: "E_NO_CHANNEL" | "E_NO_ROUTE", message: string): NodeOutput[] {
    return this.#take(peer).map((id) => ({ type: "failed", id, code, message }));
  }

  #take(peer: NodeId): string[] {
    const ids = this.#waiting.get(peer) ?? [];
    this.#waiting.delete(peer);
    this.#count -= ids.length;
    return ids;
  }
}
