import type { NodeId } from "@starling/crypto-identity";

/** Peers with whom something happened, and when it last did. The one longest ago makes room. */
export class RecentPeers {
  readonly #max: number;
  // BOUNDED: `max`.
  readonly #lastMono = new Map<NodeId, number>();

  constructor(max: number) {
    this.#max = max;
  }

  note(peer: NodeId, nowMono: number): void {
    this.#lastMono.delete(peer);
    this.#lastMono.set(peer, nowMono);
    const oldest = this.#lastMono.keys().next();
    if (this.#lastMono.size > this.#max && !oldest.done) this.#lastMono.delete(oldest.value);
  }

  has(peer: NodeId): boolean {
    return this.#lastMono.has(peer);
  }

  /** It happened less than so many milliseconds ago. */
  hasWithin(peer: NodeId, ms: number, nowMono: number): boolean {
    const lastMono = this.#lastMono.get(peer);
    return lastMono !== undefined && nowMono - lastMono < ms;
  }

  forget(peer: NodeId): void {
    this.#lastMono.delete(peer);
  }
}
