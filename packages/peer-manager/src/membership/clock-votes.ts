// How far this machine's clock is off, as its neighbours' clocks say, PROTOCOL §7: with 3 voters of different blocks (any on
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
    this.#votes.delete(voter);
    this.#votes.set(voter, { offsetMs, atMono: nowMono });
    for (const [old, { atMono }] of this.#votes) {
      if (nowMono < atMono + VOTE_MS && this.#votes.size <= VOTERS_MAX) break;
      this.#votes.delete(old);
    }
    const offsets = new Float64Array(this.#votes.size);
    let i = 0;
    for (const each of this.#votes.values()) {
      offsets[i] = each.offsetMs;
      i += 1;
    }
    // By number, and without a call for each pair: every Pong votes.
    offsets.sort();
    const median = offsets.length < VOTERS ? 0 : (offsets[offsets.length >> 1] ?? 0);
    this.#offsetMs = Math.abs(median) < NOISE_MS ? 0 : Math.round(median);
  }
}
