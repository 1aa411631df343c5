import type { RotatingFilter } from "@starling/bloom";
import type { NodeId } from "@starling/crypto-identity";
import { verifyStamp } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import type { Publish, Send, SendFailReason } from "@starling/wire-protocol";
import {
  envelopeDigest,
  envelopeId,
  publicationDigest,
  publicationId,
  verifyPublication,
} from "@starling/wire-protocol";
import type { ForwardQuota } from "./forward-quota.ts";
import type { Freshness } from "./freshness.ts";

// The ladder that every Send and every Publish climbs before it touches any state, PROTOCOL §7, cheapest rung first:
// peek (done by the codec) → freshness → stamp → repeat? → signature (Publish) → quota → commit.

export type IngressVerdict =
  /** Not seen before; its id now stands in the SeenFilter. */
  | { readonly type: "admitted"; readonly id: string }
  /** This very envelope is being carried. */
  | { readonly type: "pending"; readonly id: string }
  /** Seen, but no longer known: after a restart of ours, a long while, or by a false positive of the filter. */
  | { readonly type: "seen"; readonly id: string }
  | {
      readonly type: "refused";
      readonly reason: SendFailReason;
      readonly detail: number;
      readonly limit?: ShedLimit;
    };

/** What was exhausted where something was shed. */
export type ShedLimit = "link" | "recipient" | "total" | "table" | "seen";

export type IngressState = {
  readonly network: string;
  readonly freshness: Freshness;
  readonly seen: RotatingFilter;
  readonly quota: ForwardQuota;
  /** Least effort for an envelope of this size. */
  readonly floor: (sizeBytes: number) => number;
  readonly isPending: (id: string) => boolean;
  readonly hasRoomFor: (from: NodeId, sizeBytes: number) => boolean;
};

/** Judges a Send from a neighbour. Only the verdict `admitted` has changed anything. */
export function judge(state: IngressState, from: NodeId, send: Send, now: Now): IngressVerdict {
  const { envelope, encodedEnvelope } = send;
  const sizeBytes = encodedEnvelope.length;
  const freshness = state.freshness.judge(envelope.timestampMs, now.wall);
  if (freshness !== "fresh") {
    const bound = state.freshness.boundMs(now.wall);
    return { type: "refused", reason: "stale", detail: freshness === "stale" ? bound : now.wall };
  }
  const floor = state.floor(sizeBytes);
  const digest = envelopeDigest(state.network, encodedEnvelope);
  const stamp = verifyStamp({ digest, effort: envelope.effort, nonce: envelope.nonce, floor });
  if (stamp === "below-floor") return { type: "refused", reason: "price", detail: floor };
  if (stamp === "bad-stamp") return { type: "refused", reason: "bad-stamp", detail: 0 };
  const id = envelopeId(digest);
  if (state.isPending(id)) return { type: "pending", id };
  if (state.seen.has(digest)) return { type: "seen", id };
  if (!state.hasRoomFor(from, sizeBytes)) return { type: "refused", reason: "shed", detail: floor, limit: "table" };
  const quota = state.quota.admit(from, envelope.recipient, sizeBytes, now.mono);
  if (quota !== "admitted") return { type: "refused", reason: "shed", detail: floor, limit: quota };
  // The filter is at its hard cap: nothing is forgotten for it, so the new one is shed.
  if (!state.seen.add(digest, now.mono)) return { type: "refused", reason: "shed", detail: floor, limit: "seen" };
  return { type: "admitted", id };
}

export type PublishVerdict =
  | { readonly type: "admitted"; readonly id: string }
  | { readonly type: "repeated"; readonly id: string }
  | {
      readonly type: "refused";
      readonly reason: "stale" | "price" | "bad-stamp" | "signature" | "shed";
      readonly limit?: ShedLimit;
    };

export type PublishIngressState = Pick<IngressState, "network" | "freshness" | "seen" | "quota"> & {
  readonly publishFloor: (sizeBytes: number) => number;
};

/** Judges a Publish from a neighbour. Only the verdict `admitted` has changed anything. */
export function judgePublish(state: PublishIngressState, from: NodeId, publish: Publish, now: Now): PublishVerdict {
  const { publication } = publish;
  const { encoded, timestampMs, effort, nonce } = publication;
  if (state.freshness.judge(timestampMs, now.wall) !== "fresh") return { type: "refused", reason: "stale" };
  const digest = publicationDigest(state.network, encoded);
  const stamp = verifyStamp({ digest, effort, nonce, floor: state.publishFloor(encoded.length) });
  if (stamp !== "valid") return { type: "refused", reason: stamp === "below-floor" ? "price" : "bad-stamp" };
  const id = publicationId(digest);
  if (state.seen.has(digest)) return { type: "repeated", id };
  if (!verifyPublication(publication, digest)) return { type: "refused", reason: "signature" };
  const quota = state.quota.admit(from, undefined, encoded.length, now.mono);
  if (quota !== "admitted") return { type: "refused", reason: "shed", limit: quota };
  if (!state.seen.add(digest, now.mono)) return { type: "refused", reason: "shed", limit: "seen" };
  return { type: "admitted", id };
}
