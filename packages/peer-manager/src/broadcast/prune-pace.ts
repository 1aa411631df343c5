// Which publications may prune. Each prune is right for the wave of one publication: two that are under way at once would each cut
// what the other relies on. So only about one a second may, chosen by its id, so that all nodes choose the same; nodes that count
// a different rate still agree on the rarer ones.

const SPAN_MS = 8000;
const DIVISOR_MAX = 2 ** 16;

export class PrunePace {
  /** BOUNDED: two numbers. Publications of this span and of the one before. */
  #count = 0;
  #countBefore = 0;
  #spanMono = 0;

  /** A publication came for the first time. */
  note(nowMono: number): void {
    this.#advance(nowMono);
    this.#count += 1;
  }

  mayPrune(shortId: string, nowMono: number): boolean {
    this.#advance(nowMono);
    const perSecond = (Math.max(this.#count, this.#countBefore) * 1000) / SPAN_MS;
    let divisor = 1;
    // Twice as many as one a second are let through before the next power of two.
    while (divisor * 2 < perSecond && divisor < DIVISOR_MAX) divisor *= 2;
    return Number.parseInt(shortId.slice(-8), 16) % divisor === 0;
  }

  #advance(nowMono: number): void {
    const spans = Math.floor((nowMono - this.#spanMono) / SPAN_MS);
    if (spans < 1) return;
    this.#countBefore = spans === 1 ? this.#count : 0;
    this.#count = 0;
    this.#spanMono += spans * SPAN_MS;
  }
}
