import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";

// Where others see us, by votes: each Pong tells one neighbour's view, which may be wrong or a lie. Voters of one block have one
// vote (PROTOCOL §6), so that whoever holds a block cannot outvote the rest.

// BOUNDED: the vote cast longest ago makes room.
const VOTERS_MAX = 64;

export class ObservedAddress {
  readonly #votes = new Map<string, { readonly address: Address; readonly key: string }>();
  #winner: Address | undefined;

  /** The address that most voters see. */
  get address(): Address | undefined {
    return this.#winner;
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
    const isSame = winner.ip === this.#winner?.ip && winner.port === this.#winner.port;
    this.#winner = winner;
    return !isSame;
  }

  #count(): Address {
    const counts = new Map<string, number>();
    let winner: Address = { ip: "", port: 0 };
    let most = 0;
    // A tie goes to what was voted for last.
    for (const { address, key } of this.#votes.values()) {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count >= most) [winner, most] = [address, count];
    }
    return winner;
  }
}
