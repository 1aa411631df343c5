import type { Identity, RandomSource } from "@starling/crypto-identity";
import { firstBid } from "@starling/hashcash";
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

// The author's side of a broadcast, PROTOCOL §6: sign, mint, hand to the tree. There is no receipt: it is done once it is out.

// BOUNDED: broadcasts being minted; one more fails with E_QUOTA.
const OPEN_MAX = 64;
const MINT_MS = 60_000;

export type PublisherOutput =
  | MintRequest
  | { readonly type: "publish"; readonly publication: Publication; readonly digest: Uint8Array }
  | { readonly type: "broadcast-sent"; readonly id: string; readonly messageId: string }
  | { readonly type: "failed"; readonly id: string; readonly code: SubmitErrorCode; readonly message: string };

type Open = { readonly id: string; readonly encoded: Uint8Array; readonly digest: Uint8Array; readonly effort: number };

export type PublisherOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly random: RandomSource;
  readonly floor: (sizeBytes: number) => number;
  /** What is asked for carrying a Publish, as a multiple of the floor; hearsay. */
  readonly price: () => number;
};

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #open = new Map<string, Open>();

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
    let encoded: Uint8Array;
    try {
      encoded = signPublication({ ...this.#options, timestampMs: Math.round(now.wall), topic, content });
    } catch (error) {
      if (error instanceof WireError) return [{ type: "failed", id, code: "E_TOO_LARGE", message: error.message }];
      throw error;
    }
    const digest = publicationDigest(this.#options.network, encoded);
    const { floor, price } = this.#options;
    const effort = effortAt(firstBid(price(), floor(0)), floor(encoded.length));
    const job = publicationId(digest);
    this.#open.set(job, { id, encoded, digest, effort });
    return [{ type: "mint", job, digest, effort, startNonce: this.#options.random(NONCE_BYTES), deadlineMs: MINT_MS }];
  }

  minted(job: string, nonce: Uint8Array): PublisherOutput[] {
    const open = this.#open.get(job);
    if (open === undefined) return [];
    this.#open.delete(job);
    setPublicationStamp(open.encoded, open.effort, nonce);
    const publication = decodePublication(open.encoded);
    // What we have signed and encoded ourselves decodes.
    if (!publication.ok) return [];
    return [
      { type: "publish", publication: publication.value, digest: open.digest },
      { type: "broadcast-sent", id: open.id, messageId: job },
    ];
  }

  mintFailed(job: string): PublisherOutput[] {
    const open = this.#open.get(job);
    if (open === undefined) return [];
    this.#open.delete(job);
    return [{ type: "failed", id: open.id, code: "E_MINT", message: "no stamp could be minted in time" }];
  }
}
