import type { NodeId } from "@starling/crypto-identity";
import type { Publication } from "@starling/wire-protocol";

// What this node has had of broadcasts lately: the content for those who want it, and who is known to have it already.

/** As long as a timestamp can stay fresh (90 s behind, 30 s ahead): what is older cannot come again. */
const REMEMBER_MS = 120_000;
const CONTENT_MS = 60_000;
// BOUNDED: the oldest content, and the oldest entry, make room.
const CONTENT_MAX_BYTES = 16 * 1024 * 1024;
const ENTRIES_MAX = 65_536;

export type CachedPublication = {
  readonly shortId: string;
  readonly atMono: number;
  readonly hops: number;
  publication: Publication | undefined;
  /** BOUNDED: neighbours. */
  readonly knownBy: Set<NodeId>;
};

export class PublicationCache {
  readonly #entries = new Map<string, CachedPublication>();
  #contentBytes = 0;

  get(shortId: string): CachedPublication | undefined {
    return this.#entries.get(shortId);
  }

  add(entry: CachedPublication): void {
    this.#entries.set(entry.shortId, entry);
    this.#contentBytes += entry.publication?.encoded.length ?? 0;
    this.#shrink(entry.atMono);
  }

  expire(nowMono: number): void {
    this.#shrink(nowMono);
  }

  nextDeadline(): number | null {
    const oldest = this.#entries.values().next();
    return oldest.done ? null : oldest.value.atMono + REMEMBER_MS;
  }

  #shrink(nowMono: number): void {
    for (const entry of this.#entries.values()) {
      const isOld = entry.atMono + REMEMBER_MS <= nowMono || this.#entries.size > ENTRIES_MAX;
      const isTooMuch = this.#contentBytes > CONTENT_MAX_BYTES;
      if (entry.atMono + CONTENT_MS > nowMono && !isOld && !isTooMuch) return;
      this.#contentBytes -= entry.publication?.encoded.length ?? 0;
      entry.publication = undefined;
      if (isOld) this.#entries.delete(entry.shortId);
    }
  }
}
