/** What those who own indexes need of the table. */
export type Indexes<Owner> = Pick<IndexTable<Owner>, "draw" | "set" | "delete">;

/** Who owns each local index, which the peer writes on what it sends us. Random, so that nobody off the path can guess one. */
export class IndexTable<Owner> {
  // BOUNDED: one for each dial, unconfirmed session and session of a link, all bounded by their owners.
  readonly #owners: Map<number, Owner> = new Map();
  readonly #random: (sizeBytes: number) => Uint8Array;

  constructor(random: (sizeBytes: number) => Uint8Array) {
    this.#random = random;
  }

  get size(): number {
    return this.#owners.size;
  }

  /** An index that nobody owns. */
  draw(): number {
    for (;;) {
      const bytes = this.#random(4);
      const index = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
      if (!this.#owners.has(index)) return index;
    }
  }

  get(index: number): Owner | undefined {
    return this.#owners.get(index);
  }

  set(index: number, owner: Owner): void {
    this.#owners.set(index, owner);
  }

  delete(index: number): void {
    this.#owners.delete(index);
  }
}
