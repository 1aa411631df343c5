import type { NodeId } from "@starling/crypto-identity";
import { AgedMap } from "@starling/peer-manager";

/** Peers with whom something happened, and when it last did. The one longest ago makes room. */
export class RecentPeers {
  readonly #max: number;
  // BOUNDED: `max`.
  readonly #lastMono = new AgedMap<NodeId, number>();

  constructor(max: number) {
    this.#max = max;
  }

  note(peer: NodeId, nowMono: number): void {
    this.#lastMono.renew(peer, nowMono, this.#max);
  }

  has(peer: NodeId): boolean {
    return this.#lastMono.get(peer) !== undefined;
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
