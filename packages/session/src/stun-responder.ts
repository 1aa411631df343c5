import type { Address } from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import type { Transmit } from "./event.ts";
import { encodeBindingAnswer, readBindingRequest } from "./stun.ts";
import { TokenBucket } from "./token-bucket.ts";

const PER_SECOND = 5;
/** How long a list of the live ips is used. Making it anew for each request would let a flood of them cost a scan each. */
const LIVE_IPS_MS = 1_000;

/**
 * Tells peers their address, so that they need no STUN server of a third party (PROTOCOL §3.5). Only for ips at which a link
 * has proved that it receives, five times a second each: the answer is larger than the question, and whoever forges a
 * source must not get that out of us at a bystander's cost.
 */
export class StunResponder {
  readonly #liveIps: () => Iterable<string>;
  readonly #counters: Counters;
  // BOUNDED: by the links, made anew each second; an ip that stays keeps its bucket.
  #buckets: Map<string, TokenBucket> = new Map();
  #sinceMono = Number.NEGATIVE_INFINITY;

  constructor(liveIps: () => Iterable<string>, counters: Counters) {
    this.#liveIps = liveIps;
    this.#counters = counters;
  }

  answer(request: Uint8Array, from: Address, nowMono: number): Transmit | undefined {
    const transactionId = readBindingRequest(request);
    if (transactionId === undefined) {
      this.#counters.add("dropped.stun");
      return undefined;
    }
    const bucket = this.#bucketOf(from.ip, nowMono);
    if (bucket === undefined) {
      this.#counters.add("dropped.stun-stranger");
      return undefined;
    }
    if (!bucket.take(nowMono)) {
      this.#counters.add("dropped.stun-rate");
      return undefined;
    }
    this.#counters.add("stun.answered");
    return { to: from, datagram: encodeBindingAnswer(transactionId, from) };
  }

  #bucketOf(ip: string, nowMono: number): TokenBucket | undefined {
    if (nowMono - this.#sinceMono >= LIVE_IPS_MS) {
      this.#sinceMono = nowMono;
      const known = this.#buckets;
      this.#buckets = new Map();
      for (const live of this.#liveIps()) {
        this.#buckets.set(live, known.get(live) ?? new TokenBucket(PER_SECOND, PER_SECOND, nowMono));
      }
    }
    return this.#buckets.get(ip);
  }
}
