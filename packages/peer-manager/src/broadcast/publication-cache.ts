import type { NodeId } from "@starling/crypto-identity";
import type { Publication } from "@starling/wire-protocol";
import { AgedMap } from "../aged-map.ts";

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
  readonly #entries = new AgedMap<string, CachedPublication>();
  /** Those whose content is there: it goes long before what is remembered of them. */
  readonly #contents = new AgedMap<string, CachedPublication>();
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
    for (const { shortId, publication } of this.#contents.newestFirst()) {
      const timestampMs = publication?.timestampMs ?? Number.NEGATIVE_INFINITY;
      if (timestampMs >= fromMs && timestampMs < toMs) found.push({ shortId, timestampMs });
    }
    return found;
  }

  /** The same again, with a dearer stamp, takes the place of what was there. */
  add(entry: CachedPublication): void {
    this.#forget(entry.shortId);
    this.#entries.set(entry.shortId, entry);
    this.#lastMono = entry.atMono;
    if (entry.publication !== undefined) {
      this.#contents.set(entry.shortId, entry);
      this.#contentBytes += entry.publication.encoded.length;
    }
    this.#shrink(entry.atMono);
  }

  expire(nowMono: number): void {
    this.#shrink(nowMono);
  }

  nextDeadline(): number | null {
    const oldest = this.#entries.oldest();
    return oldest === undefined ? null : oldest.value.atMono + REMEMBER_MS;
  }

  /** Looks at what is due and no further: it is called for each publication and for each timer of the node. */
  #shrink(nowMono: number): void {
    for (let oldest = this.#entries.oldest(); oldest !== undefined; oldest = this.#entries.oldest()) {
      if (oldest.value.atMono + REMEMBER_MS > nowMono && this.#entries.size <= ENTRIES_MAX) break;
      this.#forget(oldest.key);
    }
    for (let oldest = this.#contents.oldest(); oldest !== undefined; oldest = this.#contents.oldest()) {
      if (oldest.value.atMono + CONTENT_MS > nowMono && this.#contentBytes <= CONTENT_MAX_BYTES) break;
      this.#dropContent(oldest.value);
    }
  }

  #forget(shortId: string): void {
    const entry = this.#entries.get(shortId);
    if (entry === undefined) return;
    this.#dropContent(entry);
    this.#entries.delete(shortId);
  }

  #dropContent(entry: CachedPublication): void {
    this.#contentBytes -= entry.publication?.encoded.length ?? 0;
    entry.publication = undefined;
    this.#contents.delete(entry.shortId);
  }
}
