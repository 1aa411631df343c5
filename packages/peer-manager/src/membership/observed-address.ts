import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";

// Where others see us, by votes: each Pong tells one neighbour's view, which may be wrong or a lie. Voters of one block have one
// vote (PROTOCOL §6), so that whoever holds a block cannot outvote the rest. Whoever sees us no more has no vote: a node that has
// moved would else be held at its old address by neighbours that it has lost.

const VOTE_MS = 60_000;
// BOUNDED: the vote cast longest ago makes room.
const VOTERS_MAX = 64;

type Vote = {
  readonly address: Address;
  readonly key: string;
  readonly atMono: number;
  /** How many changes of mind came before this voter's last. */
  readonly change: number;
};

export class ObservedAddress {
  /** In the order in which they were cast or said again. */
  readonly #votes = new Map<string, Vote>();
  #changes = 0;
  #winner: Vote | undefined;

  /** The address that most voters see. */
  get address(): Address | undefined {
    return this.#winner?.address;
  }

  /** Takes a vote; true where the winner is another one now. */
  vote(voter: string, address: Address, nowMono: number): boolean {
    const before = this.#votes.get(voter);
    const isSame = before?.address.ip === address.ip && before.address.port === address.port;
    this.#votes.delete(voter);
    this.#votes.set(
      voter,
      isSame
        ? { ...before, atMono: nowMono }
        : { address, key: formatAddress(address), atMono: nowMono, change: this.#changes++ },
    );
    const isLess = this.#forgetOld(nowMono);
    if (isSame && !isLess) return false;
    const winner = this.#count();
    const isOther = winner?.key !== this.#winner?.key;
    this.#winner = winner;
    return isOther;
  }

  #forgetOld(nowMono: number): boolean {
    const { size } = this.#votes;
    for (const [voter, { atMono }] of this.#votes) {
      if (nowMono < atMono + VOTE_MS && this.#votes.size <= VOTERS_MAX) break;
      this.#votes.delete(voter);
    }
    return this.#votes.size < size;
  }

  #count(): Vote | undefined {
    const counts = new Map<string, { readonly last: Vote; readonly count: number }>();
    for (const vote of this.#votes.values()) {
      const { last = vote, count = 0 } = counts.get(vote.key) ?? {};
      counts.set(vote.key, { last: vote.change > last.change ? vote : last, count: count + 1 });
    }
    // A tie goes to what somebody came to see last, not to what was said again last: else each Pong would turn it.
    const [winner] = [...counts.values()].sort((a, b) => b.count - a.count || b.last.change - a.last.change);
    return winner?.last;
  }
}
