type Entry<Key> = { readonly key: Key; readonly atMono: number };

/**
 * When each of many things is due next; the one timer table of the machine. A binary heap whose outdated entries are left
 * in place and skipped when they come up, so that moving a deadline costs nothing when it moves back.
 */
export class DeadlineTable<Key> {
  // BOUNDED: by the links and dials that the owner of this table keeps.
  readonly #due: Map<Key, number> = new Map();
  /** BOUNDED: rebuilt when it holds four times what is due. */
  #heap: Entry<Key>[] = [];

  /** null or infinity: not due at all. */
  set(key: Key, atMono: number | null): void {
    if (atMono === null || atMono === Number.POSITIVE_INFINITY) {
      this.#due.delete(key);
      return;
    }
    if (this.#due.get(key) === atMono) return;
    this.#due.set(key, atMono);
    this.#push({ key, atMono });
    if (this.#heap.length > 64 + 4 * this.#due.size) this.#rebuild();
  }

  next(): number | null {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#due.get(top.key) === top.atMono) return top.atMono;
      this.#pop();
    }
    return null;
  }

  /** Removes and returns what is due by now, earliest first. */
  takeDue(nowMono: number): Key[] {
    const keys: Key[] = [];
    for (let at = this.next(); at !== null && at <= nowMono; at = this.next()) {
      const entry = this.#pop();
      if (entry === undefined) break;
      this.#due.delete(entry.key);
      keys.push(entry.key);
    }
    return keys;
  }

  #rebuild(): void {
    this.#heap = [];
    for (const [key, atMono] of this.#due) this.#push({ key, atMono });
  }

  #push(entry: Entry<Key>): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.atMono <= entry.atMono) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry<Key> | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      let child = left;
      if (right !== undefined && right.atMono < left.atMono) {
        below += 1;
        child = right;
      }
      if (child.atMono >= last.atMono) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}
