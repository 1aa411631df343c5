import type { NodeId } from "@starling/crypto-identity";
import { RateBucket } from "./rate-bucket.ts";

// What one ingress link may ask of this node, PROTOCOL §7.6: token buckets in messages and bytes. A stamp is an entry ticket;
// this is what bounds the work.

export type LinkQuotaLimits = { readonly messagesPerSecond: number; readonly bytesPerSecond: number };

export const DEFAULT_LINK_QUOTA: LinkQuotaLimits = { messagesPerSecond: 500, bytesPerSecond: 4 * 1024 * 1024 };

/** Repeats of what is no longer pending that a recipient answers, a second and link (PROTOCOL §7.6). */
const REPEATS_PER_SECOND = 5;
const REPEATS: LinkQuotaLimits = { messagesPerSecond: REPEATS_PER_SECOND, bytesPerSecond: 1 };
const REPEATS_BURST_SECONDS = 1;

type Buckets = { readonly ofLink: RateBucket; readonly repeats: RateBucket };

export class LinkQuota {
  readonly #limits: LinkQuotaLimits;
  // BOUNDED: one entry an open link; `closed` drops it.
  readonly #buckets = new Map<NodeId, Buckets>();

  constructor(limits: LinkQuotaLimits) {
    this.#limits = limits;
  }

  /** Whether the link's buckets hold one message of this size; `take` takes it. */
  has(link: NodeId, sizeBytes: number, nowMono: number): boolean {
    return this.#of(link, nowMono).ofLink.has(sizeBytes, nowMono);
  }

  take(link: NodeId, sizeBytes: number, nowMono: number): void {
    this.#of(link, nowMono).ofLink.take(sizeBytes);
  }

  admitRepeat(link: NodeId, nowMono: number): boolean {
    const { repeats } = this.#of(link, nowMono);
    if (!repeats.has(0, nowMono)) return false;
    repeats.take(0);
    return true;
  }

  closed(link: NodeId): void {
    this.#buckets.delete(link);
  }

  #of(link: NodeId, nowMono: number): Buckets {
    let buckets = this.#buckets.get(link);
    if (buckets === undefined) {
      buckets = {
        ofLink: new RateBucket(this.#limits, nowMono),
        repeats: new RateBucket(REPEATS, nowMono, REPEATS_BURST_SECONDS),
      };
      this.#buckets.set(link, buckets);
    }
    return buckets;
  }
}
