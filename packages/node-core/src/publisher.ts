import type { Identity, RandomSource } from "@starling/crypto-identity";
import { firstBid, raisedBid } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import type { Publication } from "@starling/wire-protocol";
import {
  decodePublication,
  NONCE_BYTES,
  publicationDigest,
  publicationId,
  setPublicationStamp,
  signPublication,
  WireError,
} from "@starling/wire-protocol";
import type { SubmitErrorCode } from "./errors.ts";
import { effortAt } from "./ingress.ts";
import type { Broadcast } from "./input.ts";
import type { MintRequest } from "./output.ts";

// The author's side of a broadcast, PROTOCOL §8 and §7.8: sign, mint, hand to the tree. There is no receipt: it is done once it is out.
// Nothing answers a Publish either, so one that neighbours refuse for its price is known by what does not come: none of them names it
// or sends it here. Then they are asked for their prices, and where those are above the floor it goes out again with a dearer stamp.
//
//   signed ─ mint ─▶ out ─ 1.5 s ─▶ abroad? ─ no ─▶ prices asked ─ 1 s ─▶ abroad, or nobody congested? ─ no ─▶ mint, dearer ─▶ out

// BOUNDED: broadcasts being minted; one more fails with E_QUOTA.
const OPEN_MAX = 64;
// BOUNDED: broadcasts that are out and not known to be carried; the one that is out longest makes room.
const OUT_MAX = 64;
const MINT_MS = 60_000;
/** What waits at a congested neighbour for longer than 1 s is shed; some round trips more. */
const CARRIED_MS = 1500;
const PRICES_MS = 1000;
/** A broadcast is bid for so often, and is lost if that was not enough. */
const BIDS_MAX = 8;

export type PublisherOutput =
  | MintRequest
  | {
      readonly type: "publish";
      readonly publication: Publication;
      readonly digest: Uint8Array;
      readonly isAgain: boolean;
    }
  | { readonly type: "broadcast-sent"; readonly id: string; readonly messageId: string }
  /** Each neighbour is to be asked for a Pong. */
  | { readonly type: "ask-prices" }
  | { readonly type: "failed"; readonly id: string; readonly code: SubmitErrorCode; readonly message: string };

type Open = {
  readonly id: string;
  readonly encoded: Uint8Array;
  readonly digest: Uint8Array;
  /** Multiple of the floor. */
  readonly bid: number;
  /** How often it has been bid for, this time included. */
  readonly bids: number;
};

type Out = { readonly open: Open; readonly dueMono: number; readonly isAsked: boolean };

export type PublisherOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly random: RandomSource;
  readonly floor: (sizeBytes: number) => number;
  /** What is asked for carrying a Publish, as a multiple of the floor; hearsay. */
  readonly price: () => number;
  /** Whether a neighbour has named this broadcast of ours, or sent it here. */
  readonly isAbroad: (messageId: string) => boolean;
};

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #open = new Map<string, Open>();
  readonly #out = new Map<string, Out>();
  #askedMono = Number.NEGATIVE_INFINITY;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  broadcast(broadcast: Broadcast, now: Now): PublisherOutput[] {
    const { id, topic, content } = broadcast;
    if (this.#open.size >= OPEN_MAX) {
      return [
        { type: "failed", id, code: "E_QUOTA", message: `${OPEN_MAX} broadcasts are being minted; wait for one` },
      ];
    }
    const { floor, price } = this.#options;
    try {
      const signed = this.#sign(topic, content, Math.round(now.wall));
      return [this.#mint({ id, ...signed, bid: firstBid(price(), floor(0)), bids: 1 })];
    } catch (error) {
      if (error instanceof WireError) return [{ type: "failed", id, code: "E_TOO_LARGE", message: error.message }];
      throw error;
    }
  }

  minted(job: string, nonce: Uint8Array, now: Now): PublisherOutput[] {
    const open = this.#open.get(job);
    if (open === undefined) return [];
    this.#open.delete(job);
    setPublicationStamp(open.encoded, this.#effort(open), nonce);
    // A copy: what went out before keeps its stamp.
    const publication = decodePublication(open.encoded.slice());
    // What we have signed and encoded ourselves decodes.
    if (!publication.ok) return [];
    const isAgain = open.bids > 1;
    this.#watch(job, { open, dueMono: now.mono + CARRIED_MS, isAsked: false });
    const publish: PublisherOutput = { type: "publish", publication: publication.value, digest: open.digest, isAgain };
    return isAgain ? [publish] : [publish, { type: "broadcast-sent", id: open.id, messageId: job }];
  }

  mintFailed(job: string): PublisherOutput[] {
    const open = this.#open.get(job);
    if (open === undefined) return [];
    this.#open.delete(job);
    if (open.bids > 1) return [];
    return [{ type: "failed", id: open.id, code: "E_MINT", message: "no stamp could be minted in time" }];
  }

  tick(now: Now): PublisherOutput[] {
    const outputs: PublisherOutput[] = [];
    for (const [job, out] of this.#out) {
      const { open, dueMono, isAsked } = out;
      if (now.mono < dueMono) continue;
      this.#out.delete(job);
      if (open.bids >= BIDS_MAX || this.#options.isAbroad(job)) continue;
      if (isAsked) outputs.push(...this.#bidAgain(open));
      else outputs.push(...this.#askPrices(job, out, now.mono));
    }
    return outputs;
  }

  nextDeadline(): number | null {
    let first = Number.POSITIVE_INFINITY;
    for (const { dueMono } of this.#out.values()) first = Math.min(first, dueMono);
    return first === Number.POSITIVE_INFINITY ? null : first;
  }

  /** Two that are alike, of one millisecond, would be one: the second is dated a millisecond later. */
  #sign(topic: string, content: Uint8Array, wallMs: number): Pick<Open, "encoded" | "digest"> {
    for (let timestampMs = wallMs; ; timestampMs += 1) {
      const encoded = signPublication({ ...this.#options, timestampMs, topic, content });
      const digest = publicationDigest(this.#options.network, encoded);
      const job = publicationId(digest);
      if (!this.#open.has(job) && !this.#out.has(job)) return { encoded, digest };
    }
  }

  #askPrices(job: string, { open }: Out, nowMono: number): PublisherOutput[] {
    this.#watch(job, { open, dueMono: nowMono + PRICES_MS, isAsked: true });
    if (nowMono < this.#askedMono + PRICES_MS) return [];
    this.#askedMono = nowMono;
    return [{ type: "ask-prices" }];
  }

  /** Where half of the neighbours ask for the floor, it was not its price that kept them from naming it. */
  #bidAgain(open: Open): PublisherOutput[] {
    const { price, floor } = this.#options;
    const told = price();
    if (told <= 1 || this.#open.size >= OPEN_MAX) return [];
    const bid = raisedBid(open.bid, told, told <= open.bid, floor(0));
    return [this.#mint({ ...open, bid, bids: open.bids + 1 })];
  }

  #mint(open: Open): PublisherOutput {
    const { digest } = open;
    const job = publicationId(digest);
    this.#open.set(job, open);
    const startNonce = this.#options.random(NONCE_BYTES);
    return { type: "mint", job, digest, effort: this.#effort(open), startNonce, deadlineMs: MINT_MS };
  }

  #effort({ bid, encoded }: Open): number {
    return effortAt(bid, this.#options.floor(encoded.length));
  }

  #watch(job: string, out: Out): void {
    this.#out.set(job, out);
    const oldest = this.#out.keys().next();
    if (this.#out.size > OUT_MAX && !oldest.done) this.#out.delete(oldest.value);
  }
}
