import type { NodeId } from "@starling/crypto-identity";

// What one ingress link may ask of this node, PROTOCOL §7: token buckets in messages and bytes. A stamp is an entry ticket;
// this is what bounds the work.

export type LinkQuotaLimits = { readonly messagesPerSecond: number; readonly bytesPerSecond: number };

export const DEFAULT_LINK_QUOTA: LinkQuotaLimits = { messagesPerSecond: 500, bytesPerSecond: 4 * 1024 * 1024 };

/** Repeats of what is no longer pending that a recipient answers, a second and link (PROTOCOL §5). */
const REPEATS_PER_SECOND = 5;
const BURST_SECONDS = 2;

type Buckets = { messages: number; bytes: number; repeats: number; atMono: number };

export class LinkQuota {
  readonly #limits: LinkQuotaLimits;
  // BOUNDED: one entry an open link; `closed` drops it.
  readonly #buckets = new Map<NodeId, Buckets>();

  constructor(limits: LinkQuotaLimits) {
    this.#limits = limits;
  }

  /** Takes one message of this size out of the link's buckets, or says that they are empty. */
  admit(link: NodeId, sizeBytes: number, nowMono: number): boolean {
    const buckets = this.#filled(link, nowMono);
    if (buckets.messages < 1 || buckets.bytes < sizeBytes) return false;
    buckets.messages -= 1;
    buckets.bytes -= sizeBytes;
    return true;
  }

  admitRepeat(link: NodeId, nowMono: number): boolean {
    const buckets = this.#filled(link, nowMono);
    if (buckets.repeats < 1) return false;
    buckets.repeats -= 1;
    return true;
  }

  closed(link: NodeId): void {
    this.#buckets.delete(link);
  }

  #filled(link: NodeId, nowMono: number): Buckets {
    const { messagesPerSecond, bytesPerSecond } = this.#limits;
    const full = {
      messages: messagesPerSecond * BURST_SECONDS,
      bytes: bytesPerSecond * BURST_SECONDS,
      repeats: REPEATS_PER_SECOND,
      atMono: nowMono,
    };
    const buckets = this.#buckets.get(link);
    if (buckets === undefined) {
      this.#buckets.set(link, full);
      return full;
    }
    const seconds = Math.max(0, nowMono - buckets.atMono) / 1000;
    buckets.messages = Math.min(full.messages, buckets.messages + seconds * messagesPerSecond);
    buckets.bytes = Math.min(full.bytes, buckets.bytes + seconds * bytesPerSecond);
    buckets.repeats = Math.min(full.repeats, buckets.repeats + seconds * REPEATS_PER_SECOND);
    buckets.atMono = nowMono;
    return buckets;
  }
}
