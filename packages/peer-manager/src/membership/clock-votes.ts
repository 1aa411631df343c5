// How far this machine's clock is off, as its neighbours' clocks say, PROTOCOL §7.3: with 3 voters of different blocks (any on
// loopback) the median moves our own time. One liar, or one block of them, moves it no further than honest clocks stand apart.

const VOTERS = 3;
const VOTE_MS = 60_000;
/** So far a clock is corrected; beyond, its user has to set it. */
const CORRECTED_MAX_MS = 120_000;
/** Below it it is the network, not the clock. */
const NOISE_MS = 1000;
// BOUNDED: the vote cast longest ago makes room.
const VOTERS_MAX = 64;

export class ClockVotes {
  readonly #votes = new Map<string, { readonly offsetMs: number; readonly atMono: number }>();
  /** Their offsets in order: every Pong votes, and sorting all of them each time costs more than the rest of the Pong. */
  readonly #sorted: number[] = [];
  #offsetMs = 0;

  /** How far others are ahead of us; 0 while too few say anything, or it is close enough. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** What to add to our wall clock. */
  get correctionMs(): number {
    return Math.abs(this.#offsetMs) > CORRECTED_MAX_MS ? 0 : this.#offsetMs;
  }

  /** A neighbour's clock was so far ahead of ours. */
  vote(voter: string, offsetMs: number, nowMono: number): void {
    this.#forget(voter);
    this.#votes.set(voter, { offsetMs, atMono: nowMono });
    this.#sorted.splice(this.#placeOf(offsetMs), 0, offsetMs);
    for (const [old, { atMono }] of this.#votes) {
      if (nowMono < atMono + VOTE_MS && this.#votes.size <= VOTERS_MAX) break;
      this.#forget(old);
    }
    const { length } = this.#sorted;
    const median = length < VOTERS ? 0 : (this.#sorted[length >> 1] ?? 0);
    this.#offsetMs = Math.abs(median) < NOISE_MS ? 0 : Math.round(median);
  }

  #forget(voter: string): void {
    const vote = this.#votes.get(voter);
    if (vote === undefined) return;
    this.#votes.delete(voter);
    this.#sorted.splice(this.#placeOf(vote.offsetMs), 1);
  }

  /** Where this offset stands, or would. */
  #placeOf(offsetMs: number): number {
    let [from, to] = [0, this.#sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#sorted[middle] as number) < offsetMs) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
