import type { NodeId } from "@starling/crypto-identity";
import type { LinkQuotaLimits } from "./link-quota.ts";
import { RateBucket } from "./rate-bucket.ts";

const WINDOW_MS = 1000;
/** Below this level only links within their share are served; above it whoever comes. */
const RESERVE = 0.5;

/**
 * A bucket that several links draw from. As long as it is well filled nobody is asked; once it runs low each link has an equal
 * share of the rate and no more, so that who asks for much cannot take it from who asks for little.
 */
export class SharedBucket {
  readonly #limits: LinkQuotaLimits;
  readonly #bucket: RateBucket;
  // BOUNDED: the links that were served in one second.
  #used = new Map<NodeId, { messages: number; bytes: number }>();
  #windowMono: number;
  /** How many links the rate was shared by in the second before. */
  #lastCount = 0;

  constructor(limits: LinkQuotaLimits, nowMono: number) {
    this.#limits = limits;
    this.#bucket = new RateBucket(limits, nowMono);
    this.#windowMono = nowMono;
  }

  has(link: NodeId, sizeBytes: number, nowMono: number): boolean {
    if (nowMono - this.#windowMono >= WINDOW_MS) {
      this.#lastCount = this.#used.size;
      this.#used = new Map();
      this.#windowMono = nowMono;
    }
    if (!this.#bucket.has(sizeBytes, nowMono)) return false;
    if (this.#bucket.level > RESERVE) return true;
    const used = this.#used.get(link);
    if (used === undefined) return true;
    const count = Math.max(this.#used.size, this.#lastCount);
    const { messagesPerSecond, bytesPerSecond } = this.#limits;
    return used.messages * count < messagesPerSecond && used.bytes * count < bytesPerSecond;
  }

  /** Only after `has`. */
  take(link: NodeId, sizeBytes: number): void {
    this.#bucket.take(sizeBytes);
    const used = this.#used.get(link) ?? { messages: 0, bytes: 0 };
    used.messages += 1;
    used.bytes += sizeBytes;
    this.#used.set(link, used);
  }
}
