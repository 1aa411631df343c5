import type { NodeId } from "@starling/crypto-identity";
import { NON_IMPROVING_MAX } from "@starling/wire-protocol";
import { compareDistance, isCloser } from "../distance.ts";
import type { Links } from "./links.ts";

// The rule of PROTOCOL §5 "Next hop", as one pure function: own link to the recipient, learned route, the reachable neighbour
// closest to it and closer than oneself, and where there is none, an anchor with the flag `last`.

export type NextHop = { readonly peer: NodeId; readonly last: boolean; readonly nonImproving: number };

export type NextHopQuestion = {
  readonly self: NodeId;
  readonly recipient: NodeId;
  readonly links: Links;
  /** This node carries messages for others itself. */
  readonly isSelfReachable: boolean;
  /** A fresh verified route, if one is known. */
  readonly learned: NodeId | undefined;
  /** Links the envelope came in on, and those already tried. */
  readonly excluded: ReadonlySet<NodeId>;
  /** We are its author: the first step may lead away from the recipient. */
  readonly source: boolean;
  /** The author asked for a relayed path (`via: relay`): its own link to the recipient is not used. */
  readonly avoidRecipient: boolean;
  readonly last: boolean;
  readonly nonImproving: number;
};

/** The link to try next, or undefined where this node knows no way. */
export function nextHop(question: NextHopQuestion): NextHop | undefined {
  const { self, recipient, links, learned, excluded, source, last, nonImproving } = question;
  const usable = (id: NodeId) => links.has(id) && !excluded.has(id);
  if (!question.avoidRecipient && usable(recipient)) return { peer: recipient, last, nonImproving };
  if (learned !== undefined && learned !== recipient && usable(learned)) return { peer: learned, last, nonImproving };
  if (last) return undefined;

  const candidates = links.reachable().filter((id) => id !== recipient && !excluded.has(id));
  const closest = closestTo(recipient, candidates);
  if (closest !== undefined && isCloser(recipient, closest, self)) return { peer: closest, last, nonImproving };
  if (source && closest !== undefined) return { peer: closest, last, nonImproving };
  if (!question.isSelfReachable && closest !== undefined && nonImproving < NON_IMPROVING_MAX) {
    return { peer: closest, last, nonImproving: nonImproving + 1 };
  }
  // A local minimum: whoever is attached to the recipient is most likely among the nodes next to us.
  const anchor = closestTo(
    recipient,
    links.anchors().filter((id) => id !== recipient && !excluded.has(id)),
  );
  return anchor === undefined ? undefined : { peer: anchor, last: true, nonImproving };
}

function closestTo(target: NodeId, ids: readonly NodeId[]): NodeId | undefined {
  let closest: NodeId | undefined;
  for (const id of ids) if (closest === undefined || compareDistance(target, id, closest) < 0) closest = id;
  return closest;
}
