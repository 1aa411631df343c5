import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";

// Where others see us, by votes: each Pong tells one neighbour's view, which may be wrong or a lie. Voters of one block have one
// vote (PROTOCOL §6), so that whoever holds a block cannot outvote the rest.

// BOUNDED: the vote cast longest ago makes room.
const VOTERS_MAX = 64;

type Vote = { readonly address: Address; readonly key: string };

export class ObservedAddress {
  readonly #votes = new Map<string, Vote>();
  #winner: Vote | undefined;

  /** The address that most voters see. */
  get address(): Address | undefined {
    return this.#winner?.address;
  }

  /** Takes a vote; true where the winner is another one now. */
  vote(voter: string, address: Address): boolean {
    const before = this.#votes.get(voter)?.address;
    if (before?.ip === address.ip && before.port === address.port) return false;
    this.#votes.delete(voter);
    this.#votes.set(voter, { address, key: formatAddress(address) });
    const oldest = this.#votes.keys().next();
    if (this.#votes.size > VOTERS_MAX && !oldest.done) this.#votes.delete(oldest.value);
    const winner = this.#count();
    const isOther = winner?.key !== this.#winner?.key;
    this.#winner = winner;
    return isOther;
  }

  #count(): Vote | undefined {
    const counts = new Map<string, number>();
    let winner: Vote | undefined;
    let most = 0;
    // A tie goes to what was voted for last.
    for (const vote of this.#votes.values()) {
      const count = (counts.get(vote.key) ?? 0) + 1;
      counts.set(vote.key, count);
      if (count >= most) [winner, most] = [vote, count];
    }
    return winner;
  }
}
