type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** Virtual time: events in the order of their time, those of one time in the order in which they were planned. A binary heap. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;
  nowMs = 0;

  get size(): number {
    return this.#heap.length;
  }

  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.#order, run });
    this.#order += 1;
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#swapIfBefore(i, parent)) break;
      i = parent;
    }
  }

  /** Runs the next event, or returns false where none is planned before `untilMs`. */
  step(untilMs: number): boolean {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > untilMs) return false;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) {
      heap[0] = last;
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        const right = left + 1;
        const child = right < heap.length && this.#isBefore(right, left) ? right : left;
        if (child >= heap.length || !this.#swapIfBefore(child, i)) break;
        i = child;
      }
    }
    this.nowMs = first.atMs;
    first.run();
    return true;
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return false;
    return first.atMs < second.atMs || (first.atMs === second.atMs && first.order < second.order);
  }

  #swapIfBefore(a: number, b: number): boolean {
    if (!this.#isBefore(a, b)) return false;
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event];
    return true;
  }
}
