import type { RotatingFilter } from "@starling/bloom";
import type { NodeId } from "@starling/crypto-identity";
import { verifyStamp } from "@starling/hashcash";
import type { Now } from "@starling/peer-manager";
import type { Send, SendFailReason } from "@starling/wire-protocol";
import { envelopeDigest, envelopeId } from "@starling/wire-protocol";
import type { Freshness } from "./freshness.ts";
import type { LinkQuota } from "./link-quota.ts";

// The ladder that every Send climbs before it touches any state, PROTOCOL §7, cheapest rung first:
// peek (done by the codec) → freshness → stamp → repeat? → quota → commit.

export type IngressVerdict =
  /** Not seen before; its id now stands in the SeenFilter. */
  | { readonly type: "admitted"; readonly id: string }
  /** This very envelope is being carried. */
  | { readonly type: "pending"; readonly id: string }
  /** Seen, but no longer known: after a restart of ours, a long while, or by a false positive of the filter. */
  | { readonly type: "seen"; readonly id: string }
  | { readonly type: "refused"; readonly reason: SendFailReason; readonly detail: number };

export type IngressState = {
  readonly network: string;
  readonly freshness: Freshness;
  readonly seen: RotatingFilter;
  readonly quota: LinkQuota;
  /** Least effort for an envelope of this size. */
  readonly floor: (sizeBytes: number) => number;
  readonly isPending: (id: string) => boolean;
  readonly hasRoomFor: (sizeBytes: number) => boolean;
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
  if (!state.quota.admit(from, sizeBytes, now.mono) || !state.hasRoomFor(sizeBytes)) {
    return { type: "refused", reason: "shed", detail: floor };
  }
  // The filter is at its hard cap: nothing is forgotten for it, so the new one is shed.
  if (!state.seen.add(digest, now.mono)) return { type: "refused", reason: "shed", detail: floor };
  return { type: "admitted", id };
}
