// A map that knows its oldest entry. A Map iterates in order of insertion as well, but it keeps the places of what was deleted until it
// grows: to find the first of tens of thousands of entries, of which one is deleted for each that is added, takes thousands of steps.

type Place<Key, Value> = {
  readonly key: Key;
  value: Value;
  older: Place<Key, Value> | undefined;
  newer: Place<Key, Value> | undefined;
};

/** Adds, finds, drops, and finds the oldest, each in constant time. Its owner bounds it. */
export class AgedMap<Key, Value> {
  readonly #places = new Map<Key, Place<Key, Value>>();
  #oldest: Place<Key, Value> | undefined;
  #newest: Place<Key, Value> | undefined;

  /** How many entries there are. */
  get size(): number {
    return this.#places.size;
  }

  /** What was set last for this key; it does not make it newer. */
  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value;
  }

  /** What was added longest ago. */
  oldest(): { readonly key: Key; readonly value: Value } | undefined {
    return this.#oldest;
  }

  /** All values, from the newest on. */
  *newestFirst(): IterableIterator<Value> {
    for (let place = this.#newest; place !== undefined; place = place.older) yield place.value;
  }

  /** A key that is there already keeps its age. */
  set(key: Key, value: Value): void {
    const known = this.#places.get(key);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    const place: Place<Key, Value> = { key, value, older: this.#newest, newer: undefined };
    this.#places.set(key, place);
    this.#oldest ??= place;
    if (this.#newest !== undefined) this.#newest.newer = place;
    this.#newest = place;
  }

  /** Adds it, or makes it the newest; the oldest makes room where there are more than `most`. */
  renew(key: Key, value: Value, most: number): void {
    this.delete(key);
    this.set(key, value);
    if (this.#places.size > most && this.#oldest !== undefined) this.delete(this.#oldest.key);
  }

  /** False where there was none. */
  delete(key: Key): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    const { older, newer } = place;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    return this.#places.delete(key);
  }
}
