/** Datagrams that may leave a link at once, and how fast that allowance comes back: 32, then 16 a millisecond. */
const BURST = 32;
const PER_MS = 16;
/** How long a link waits that has used it up. */
const PAUSE_MS = 2;

/** Spreads a full window over time, so that a burst does not overrun the buffers on its way (PROTOCOL §2, paced window). */
export class Pacer {
  #allowance = BURST;
  #sinceMono: number;

  constructor(nowMono: number) {
    this.#sinceMono = nowMono;
  }

  take(nowMono: number): boolean {
    this.#allowance = Math.min(BURST, this.#allowance + Math.max(0, nowMono - this.#sinceMono) * PER_MS);
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
