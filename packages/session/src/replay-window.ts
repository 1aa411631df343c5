import { REPLAY_WINDOW } from "./limits.ts";

// A ring of bits over the last 8192 counters (RFC 6479). One spare word makes room to clear ahead without losing any of
// the 8192, so the window is exact.
const WORDS = REPLAY_WINDOW / 32 + 1;
/** Enough for the first 256 counters, more than most sessions of a quiet link ever reach in their 120 s. */
const FIRST_WORDS = 8;

/**
 * Which counters of a session were opened already. Asked only after a datagram was authenticated: a forged one must not
 * move it (PROTOCOL §3.4).
 */
export class ReplayWindow {
  #bits: Uint32Array = new Uint32Array(FIRST_WORDS);
  /** One above the highest counter accepted. */
  #next = 0;

  /** Whether `counter` is above all that were accepted. */
  isNewest(counter: number): boolean {
    return counter >= this.#next;
  }

  /** Takes a counter once; false for a repeat and for one that is too old to know. */
  accept(counter: number): boolean {
    if (counter + REPLAY_WINDOW < this.#next) return false;
    const word = Math.floor(counter / 32);
    if (word >= this.#bits.length && this.#bits.length < WORDS) this.#grow();
    if (counter >= this.#next) {
      const last = Math.floor((this.#next - 1) / 32);
      // At most one turn of the ring, however far the counter jumped.
      for (let step = Math.min(word - last, WORDS); step > 0; step -= 1)
        this.#bits[(word - step + 1) % this.#bits.length] = 0;
      this.#next = counter + 1;
    }
    const slot = word % this.#bits.length;
    const mask = 1 << (counter % 32);
    const bits = this.#bits[slot] ?? 0;
    if ((bits & mask) !== 0) return false;
    this.#bits[slot] = bits | mask;
    return true;
  }

  /** The first turn of the ring lies the same in both. */
  #grow(): void {
    const bits = new Uint32Array(WORDS);
    bits.set(this.#bits);
    this.#bits = bits;
  }
}
