import { WINDOW_FRAMES } from "./limits.ts";

/** Datagrams that may leave a link at once; no more than the smallest usual receive buffer holds. */
const BURST = 32;
// How fast that allowance comes back, a millisecond: a window a round trip, within these bounds. The lower one is for links of
// which nothing is known and for long ones, whose window would otherwise trickle.
const PER_MS_MIN = 16;
const PER_MS_MAX = 64;
/** How long a link waits that has used it up. */
const PAUSE_MS = 2;

/** Spreads a full window over time, so that a burst does not overrun the buffers on its way (PROTOCOL §5.1). */
export class Pacer {
  #allowance = BURST;
  #sinceMono: number;

  constructor(nowMono: number) {
    this.#sinceMono = nowMono;
  }

  take(nowMono: number, rttMs: number | undefined): boolean {
    const perMs = Math.min(PER_MS_MAX, Math.max(PER_MS_MIN, WINDOW_FRAMES / (rttMs ?? Number.POSITIVE_INFINITY)));
    this.#allowance = Math.min(BURST, this.#allowance + Math.max(0, nowMono - this.#sinceMono) * perMs);
    this.#sinceMono = nowMono;
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }

  /** When more may leave, in terms of the last `take`. */
  readyMono(): number {
    return this.#allowance >= 1 ? this.#sinceMono : this.#sinceMono + PAUSE_MS;
  }
}
