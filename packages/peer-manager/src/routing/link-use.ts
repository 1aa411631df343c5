import type { NodeId } from "@starling/crypto-identity";
import { AgedMap } from "../aged-map.ts";

// Over which links a Send has just gone, either way: hung up now, its ack would find no way back, and the author would have to send
// it again.

/** Most acks have come by then; it is also when one counts as missing. */
const IN_USE_MS = 3000;
// BOUNDED: the link used longest ago makes room, and may then be hung up a little early.
const LINKS_MAX = 4096;

export class LinkUse {
  readonly #usedMono = new AgedMap<NodeId, number>();

  used(peer: NodeId, nowMono: number): void {
    this.#usedMono.renew(peer, nowMono, LINKS_MAX);
  }

  isInUse(peer: NodeId, nowMono: number): boolean {
    return nowMono < (this.#usedMono.get(peer) ?? Number.NEGATIVE_INFINITY) + IN_USE_MS;
  }
}
