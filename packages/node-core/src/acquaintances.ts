import type { NodeId } from "@starling/crypto-identity";
import { RecentPeers } from "./recent-peers.ts";

// How well a peer is known, for whose dial comes first where not all may begin (PROTOCOL §9). Only what programs here did themselves
// is beyond a stranger's reach: whoever has a message delivered is known a little for the price of it.

// BOUNDED: of either sort.
const PEERS_MAX = 4096;

/** 2: programs here have addressed it in this life of the node; 1: they have got a message of it; 0: neither. */
export type Standing = 0 | 1 | 2;

export class Acquaintances {
  readonly #addressed = new RecentPeers(PEERS_MAX);
  readonly #authors = new RecentPeers(PEERS_MAX);

  addressed(peer: NodeId, nowMono: number): void {
    this.#addressed.note(peer, nowMono);
  }

  /** A program here was handed a message of this peer. */
  heardFrom(peer: NodeId, nowMono: number): void {
    this.#authors.note(peer, nowMono);
  }

  standing(peer: NodeId): Standing {
    if (this.#addressed.has(peer)) return 2;
    return this.#authors.has(peer) ? 1 : 0;
  }
}
