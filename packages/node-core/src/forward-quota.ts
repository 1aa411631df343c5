import type { NodeId } from "@starling/crypto-identity";
import { AgedMap } from "@starling/peer-manager";
import { DEFAULT_LINK_QUOTA, LinkQuota, type LinkQuotaLimits } from "./link-quota.ts";
import { SharedBucket } from "./shared-bucket.ts";

// What may be carried for others: for each link, for each recipient, and in all. The last two are shared fairly by the links. Messages
// in all are the IngressQueue's to share out, by turns and by price; here it is their bytes.

/** What is forwarded at most, in messages and bytes a second: for one link, for one recipient, in all. */
export type ForwardLimits = {
  readonly link: LinkQuotaLimits;
  readonly recipient: LinkQuotaLimits;
  readonly total: LinkQuotaLimits;
};

/** The limits of a node or relay that is told no others. */
export const DEFAULT_FORWARD_LIMITS: ForwardLimits = {
  link: DEFAULT_LINK_QUOTA,
  recipient: { messagesPerSecond: 2_000, bytesPerSecond: 16 * 1024 * 1024 },
  total: { messagesPerSecond: 20_000, bytesPerSecond: 64 * 1024 * 1024 },
};

// BOUNDED: recipients with a bucket; the one not written to for longest makes room, and would begin with a full one.
const RECIPIENTS_MAX = 4_096;

export type QuotaVerdict = "admitted" | "link" | "recipient" | "total";

export class ForwardQuota {
  readonly #limits: ForwardLimits;
  readonly #links: LinkQuota;
  readonly #recipients = new AgedMap<NodeId, SharedBucket>();
  readonly #total: SharedBucket;

  constructor(limits: ForwardLimits, nowMono: number) {
    this.#limits = limits;
    this.#links = new LinkQuota(limits.link);
    this.#total = new SharedBucket({ ...limits.total, messagesPerSecond: Number.MAX_SAFE_INTEGER }, nowMono);
  }

  get recipientCount(): number {
    return this.#recipients.size;
  }

  /** Takes one message out of every bucket it needs, or out of none: then it says which is empty. A broadcast has no recipient. */
  admit(link: NodeId, recipient: NodeId | undefined, sizeBytes: number, nowMono: number): QuotaVerdict {
    if (!this.#links.has(link, sizeBytes, nowMono)) return "link";
    if (!this.#total.has(link, sizeBytes, nowMono)) return "total";
    const ofRecipient = recipient === undefined ? undefined : this.#ofRecipient(recipient, nowMono);
    if (ofRecipient?.has(link, sizeBytes, nowMono) === false) return "recipient";
    this.#links.take(link, sizeBytes, nowMono);
    this.#total.take(link, sizeBytes);
    ofRecipient?.take(link, sizeBytes);
    return "admitted";
  }

  /** Whether the link's own bucket holds one message of this size. */
  linkHas(link: NodeId, sizeBytes: number, nowMono: number): boolean {
    return this.#links.has(link, sizeBytes, nowMono);
  }

  admitRepeat(link: NodeId, nowMono: number): boolean {
    return this.#links.admitRepeat(link, nowMono);
  }

  closed(link: NodeId): void {
    this.#links.closed(link);
  }

  #ofRecipient(recipient: NodeId, nowMono: number): SharedBucket {
    const bucket = this.#recipients.get(recipient) ?? new SharedBucket(this.#limits.recipient, nowMono);
    this.#recipients.renew(recipient, bucket, RECIPIENTS_MAX);
    return bucket;
  }
}
