import type { NodeId } from "@starling/crypto-identity";

/** What each neighbour may cause: so much at once, and one more in so long. */
export class Allowances {
  readonly #most: number;
  readonly #everyMs: number;
  // BOUNDED: neighbours; `closed` drops them.
  readonly #left = new Map<NodeId, { readonly left: number; readonly atMono: number }>();

  constructor(most: number, everyMs: number) {
    this.#most = most;
    this.#everyMs = everyMs;
  }

  /** Takes one out of what the peer may cause; false where nothing is left. */
  take(peer: NodeId, nowMono: number): boolean {
    const known = this.#left.get(peer) ?? { left: this.#most, atMono: nowMono };
    const left = Math.min(this.#most, known.left + (nowMono - known.atMono) / this.#everyMs);
    this.#left.set(peer, { left: left >= 1 ? left - 1 : left, atMono: nowMono });
    return left >= 1;
  }

  closed(peer: NodeId): void {
    this.#left.delete(peer);
  }
}
