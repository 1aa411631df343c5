import type { LinkQuotaLimits } from "./link-quota.ts";

const BURST_SECONDS = 2;

/** A token bucket in messages and bytes at once. It starts full. */
export class RateBucket {
  readonly #limits: LinkQuotaLimits;
  readonly #burstSeconds: number;
  #messages: number;
  #bytes: number;
  #atMono: number;

  constructor(limits: LinkQuotaLimits, nowMono: number, burstSeconds: number = BURST_SECONDS) {
    this.#limits = limits;
    this.#burstSeconds = burstSeconds;
    this.#messages = limits.messagesPerSecond * burstSeconds;
    this.#bytes = limits.bytesPerSecond * burstSeconds;
    this.#atMono = nowMono;
  }

  has(sizeBytes: number, nowMono: number): boolean {
    this.#fill(nowMono);
    return this.#messages >= 1 && this.#bytes >= sizeBytes;
  }

  /** Only after `has`. */
  take(sizeBytes: number): void {
    this.#messages -= 1;
    this.#bytes -= sizeBytes;
  }

  /** 0 to 1, of the scarcer of the two, as of the last `has`. */
  get level(): number {
    const { messagesPerSecond, bytesPerSecond } = this.#limits;
    return Math.min(this.#messages / messagesPerSecond, this.#bytes / bytesPerSecond) / this.#burstSeconds;
  }

  #fill(nowMono: number): void {
    const { messagesPerSecond, bytesPerSecond } = this.#limits;
    const seconds = Math.max(0, nowMono - this.#atMono) / 1000;
    this.#messages = Math.min(messagesPerSecond * this.#burstSeconds, this.#messages + seconds * messagesPerSecond);
    this.#bytes = Math.min(bytesPerSecond * this.#burstSeconds, this.#bytes + seconds * bytesPerSecond);
    this.#atMono = nowMono;
  }
}
