import type { NodeId } from "@starling/crypto-identity";
import { addressBlocks, isLoopbackAddress, isUnicastAddress } from "@starling/session";
import { type Address, formatAddress } from "@starling/wire-protocol";

/** Blocks that vote; the oldest vote gives way. More would not make the answer better. */
const VOTES_MAX = 64;
/** One neighbour may lie or sit behind another NAT. */
const VOTES_MIN = 2;

type Vote = { readonly peer: NodeId; readonly address: Address; readonly text: string };

/**
 * Where others see us, by vote: a neighbour tells the address that our Ping came from, and may say what it likes. One vote a
 * block (/24, /48), since whoever has one ip of a block mostly has more; on loopback, one a neighbour.
 */
export class AddressVotes {
  // BOUNDED: VOTES_MAX. In the order of the votes.
  readonly #votes: Map<string, Vote> = new Map();

  vote(peer: NodeId, from: Address, observed: Address): void {
    if (!isUnicastAddress(observed)) return;
    // Nobody elsewhere can have seen a loopback address.
    if (isLoopbackAddress(observed) && !isLoopbackAddress(from)) return;
    const block = isLoopbackAddress(from) ? peer : addressBlocks(from.ip).block;
    this.#votes.delete(block);
    this.#votes.set(block, { peer, address: observed, text: formatAddress(observed) });
    if (this.#votes.size <= VOTES_MAX) return;
    for (const oldest of this.#votes.keys()) {
      this.#votes.delete(oldest);
      return;
    }
  }

  forget(peer: NodeId): void {
    for (const [block, vote] of this.#votes) if (vote.peer === peer) this.#votes.delete(block);
  }

  /** The address with more than half of the votes, and two at least. Behind a NAT with a port for each peer there is none. */
  winner(): Address | undefined {
    const counts = new Map<string, number>();
    for (const { text, address } of this.#votes.values()) {
      const count = (counts.get(text) ?? 0) + 1;
      counts.set(text, count);
      if (count >= VOTES_MIN && 2 * count > this.#votes.size) return address;
    }
    return undefined;
  }
}
