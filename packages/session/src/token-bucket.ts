/** A rate with a burst. Full at first. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #sinceMono: number;

  constructor(perSecond: number, burst: number, nowMono: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#sinceMono = nowMono;
  }

  /** Of the last time that anything was asked of it. */
  get sinceMono(): number {
    return this.#sinceMono;
  }

  /** Whether `take` would succeed now. */
  has(nowMono: number): boolean {
    const sinceMs = Math.max(0, nowMono - this.#sinceMono);
    this.#tokens = Math.min(this.#burst, this.#tokens + (sinceMs * this.#perSecond) / 1_000);
    this.#sinceMono = Math.max(this.#sinceMono, nowMono);
    return this.#tokens >= 1;
  }

  take(nowMono: number): boolean {
    if (!this.has(nowMono)) return false;
    this.#tokens -= 1;
    return true;
  }
}
