import type { NodeId } from "@starling/crypto-identity";
import type { Publication } from "@starling/wire-protocol";

// What this node has had of broadcasts lately: the content for those who want it, and who is known to have it already.

/** As long as a timestamp can stay fresh (90 s behind, 30 s ahead): what is older cannot come again. */
const REMEMBER_MS = 120_000;
const CONTENT_MS = 60_000;
const FRESH_MS = 10_000;
// BOUNDED: the oldest content, and the oldest entry, make room.
const CONTENT_MAX_BYTES = 16 * 1024 * 1024;
const ENTRIES_MAX = 65_536;

export type CachedPublication = {
  readonly shortId: string;
  readonly atMono: number;
  readonly hops: number;
  /** It was asked for, here or on its way. */
  readonly wanted: boolean;
  publication: Publication | undefined;
  /** BOUNDED: neighbours. */
  readonly knownBy: Set<NodeId>;
  /** A neighbour has named it, or sent it here again. */
  isAbroad: boolean;
};

export class PublicationCache {
  readonly #entries = new Map<string, CachedPublication>();
  #contentBytes = 0;
  #lastMono = Number.NEGATIVE_INFINITY;

  get(shortId: string): CachedPublication | undefined {
    return this.#entries.get(shortId);
  }

  /** Whether something has come within the last seconds. */
  isFresh(nowMono: number): boolean {
    return nowMono - this.#lastMono < FRESH_MS;
  }

  /** Those whose content is there and whose authors' timestamps lie in a span. BOUNDED: by the entries of the last minute. */
  wanted(fromMs: number, toMs: number): { readonly shortId: string; readonly timestampMs: number }[] {
    const found: { readonly shortId: string; readonly timestampMs: number }[] = [];
    // From the newest: the older ones are none of a recent span's, and there may be very many.
    const entries = [...this.#entries.values()];
    for (let i = entries.length - 1; i >= 0; i -= 1) {
      const { shortId, publication } = entries[i] as CachedPublication;
      if (publication === undefined) break;
      const { timestampMs } = publication;
      if (timestampMs >= fromMs && timestampMs < toMs) found.push({ shortId, timestampMs });
    }
    return found;
  }

  /** The same again, with a dearer stamp, takes the place of what was there. */
  add(entry: CachedPublication): void {
    this.#contentBytes -= this.#entries.get(entry.shortId)?.publication?.encoded.length ?? 0;
    this.#entries.delete(entry.shortId);
    this.#entries.set(entry.shortId, entry);
    this.#lastMono = entry.atMono;
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
