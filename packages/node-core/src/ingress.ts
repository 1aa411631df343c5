import type { RotatingFilter } from "@starling/bloom";
import { MAX_EFFORT, verifyStamp } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import type { Publish, Send, SendFailReason } from "@starling/wire-protocol";
import {
  envelopeDigest,
  envelopeId,
  publicationDigest,
  publicationId,
  verifyPublication,
} from "@starling/wire-protocol";
import type { Freshness } from "./freshness.ts";

// The lower rungs of the ladder that every Send and every Publish climbs before it touches any state, PROTOCOL §7.6 and §8, cheapest
// first: peek (done by the codec) → freshness → price and stamp → repeat? → signature (Publish). Admission has the upper ones: queue,
// quota, commit. Nothing here changes anything.

/** What was exhausted where something was shed. */
export type ShedLimit = "link" | "recipient" | "total" | "table" | "seen";

export type Refusal<Reason> = {
  readonly type: "refused";
  readonly reason: Reason;
  /** For a SendFail: the price, or the bound of freshness. */
  readonly detail: number;
  readonly limit?: ShedLimit;
};

/** It has earned a place in the queue. */
export type Standing = {
  readonly type: "stands";
  readonly id: string;
  readonly digest: Uint8Array;
  readonly sizeBytes: number;
  /** What its stamp claims, as a multiple of the floor for its size. */
  readonly multiple: number;
};

export type SendJudgement =
  | Standing
  /** This very envelope is being carried. */
  | { readonly type: "pending"; readonly id: string }
  /** Seen, but no longer known: after a restart of ours, a long while, or by a false positive of the filter. */
  | { readonly type: "seen"; readonly id: string }
  | Refusal<SendFailReason>;

export type IngressState = {
  readonly network: string;
  readonly freshness: Freshness;
  readonly seen: Pick<RotatingFilter, "has">;
  /** Least effort for an envelope of this size. */
  readonly floor: (sizeBytes: number) => number;
  readonly publishFloor: (sizeBytes: number) => number;
  readonly isPending: (id: string) => boolean;
};

/** The effort that is asked where the price is this multiple of a floor. */
export function effortAt(multiple: number, floor: number): number {
  return Math.min(MAX_EFFORT, Math.ceil(multiple * floor));
}

/** Judges a Send from a link that is asked this price, a multiple of the floor. */
export function judge(state: IngressState, send: Send, price: number, now: Now): SendJudgement {
  const { envelope, encodedEnvelope } = send;
  const sizeBytes = encodedEnvelope.length;
  const freshness = state.freshness.judge(envelope.timestampMs, now.wall);
  if (freshness !== "fresh") {
    const bound = state.freshness.boundMs(now.wall);
    return { type: "refused", reason: "stale", detail: freshness === "stale" ? bound : now.wall };
  }
  const floor = state.floor(sizeBytes);
  const asked = effortAt(price, floor);
  const digest = envelopeDigest(state.network, encodedEnvelope);
  const stamp = verifyStamp({ digest, effort: envelope.effort, nonce: envelope.nonce, floor: asked });
  if (stamp === "below-floor") return { type: "refused", reason: "price", detail: asked };
  if (stamp === "bad-stamp") return { type: "refused", reason: "bad-stamp", detail: 0 };
  const id = envelopeId(digest);
  if (state.isPending(id)) return { type: "pending", id };
  if (state.seen.has(digest)) return { type: "seen", id };
  return { type: "stands", id, digest, sizeBytes, multiple: envelope.effort / floor };
}

export type PublishJudgement =
  | Standing
  | { readonly type: "repeated"; readonly id: string }
  | Refusal<"stale" | "price" | "bad-stamp" | "signature" | "shed">;

/** Judges a Publish from a link that is asked this price, a multiple of the floor. */
export function judgePublish(state: IngressState, publish: Publish, price: number, now: Now): PublishJudgement {
  const { publication } = publish;
  const { encoded, timestampMs, effort, nonce } = publication;
  if (state.freshness.judge(timestampMs, now.wall) !== "fresh") return { type: "refused", reason: "stale", detail: 0 };
  const digest = publicationDigest(state.network, encoded);
  const id = publicationId(digest);
  const floor = state.publishFloor(encoded.length);
  const stamp = verifyStamp({ digest, effort, nonce, floor: effortAt(price, floor) });
  if (stamp !== "valid") {
    return { type: "refused", reason: stamp === "below-floor" ? "price" : "bad-stamp", detail: 0 };
  }
  if (state.seen.has(digest)) return { type: "repeated", id };
  if (!verifyPublication(publication, digest)) return { type: "refused", reason: "signature", detail: 0 };
  return { type: "stands", id, digest, sizeBytes: encoded.length, multiple: effort / floor };
}
