/** Counts by name; every drop has a reason here and nowhere else. BOUNDED: names are constants of the code, never input. */
export class Counters {
  readonly #counts = new Map<string, number>();

  /** Counts `amount` more under this name. */
  add(name: string, amount = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + amount);
  }

  /** What was counted under this name; 0 for one never seen. */
  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** A copy of all, by name. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
