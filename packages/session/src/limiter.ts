import type { Address } from "@starling/wire-protocol";
import type { SessionLimits } from "./limits.ts";
import { addressBlocks, isLoopbackAddress } from "./source-address.ts";
import { TokenBucket } from "./token-bucket.ts";

/**
 * Token buckets for Hellos by host and by block (PROTOCOL §3.3). Loopback is exempt: a sender there is a program of this
 * machine, and whole networks run on it.
 */
export class HelloLimiter {
  // BOUNDED: limits.buckets; a full bucket is forgotten, and where none is full a newcomer gets none.
  readonly #buckets: Map<string, TokenBucket> = new Map();
  readonly #limits: SessionLimits;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token of the host and one of the block, or none of either. */
  take(from: Address, nowMono: number): boolean {
    if (isLoopbackAddress(from)) return true;
    const { host, block } = addressBlocks(from.ip);
    const ofHost = this.#bucket(host, this.#limits.hellosPerSecondIp, nowMono);
    const ofBlock = this.#bucket(block, this.#limits.hellosPerSecondBlock, nowMono);
    if (ofHost === undefined || ofBlock === undefined || !ofHost.has(nowMono) || !ofBlock.has(nowMono)) return false;
    return ofHost.take(nowMono) && ofBlock.take(nowMono);
  }

  #bucket(key: string, perSecond: number, nowMono: number): TokenBucket | undefined {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#limits.buckets && !this.#forgetOne(nowMono)) return undefined;
      bucket = new TokenBucket(perSecond, 2 * perSecond, nowMono);
    } else {
      // Moves to the end, so that the front of the map is what was not asked for longest.
      this.#buckets.delete(key);
    }
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** Any bucket is full again two seconds after its last use: the burst is twice the rate. */
  #forgetOne(nowMono: number): boolean {
    for (const [key, bucket] of this.#buckets) {
      if (nowMono - bucket.sinceMono < 2_000) return false;
      this.#buckets.delete(key);
      return true;
    }
    return false;
  }
}

/** Counts the Hellos that cost a DH in the last second. */
export class LoadMeter {
  // BOUNDED: handshakesPerSecond times, a ring.
  readonly #timesMono: Float64Array;
  #at = 0;

  constructor(perSecond: number) {
    this.#timesMono = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY);
  }

  /** Whether one more would be over the limit. */
  isLoaded(nowMono: number): boolean {
    return nowMono - (this.#timesMono[this.#at] ?? 0) < 1_000;
  }

  note(nowMono: number): void {
    this.#timesMono[this.#at] = nowMono;
    this.#at = (this.#at + 1) % this.#timesMono.length;
  }
}
