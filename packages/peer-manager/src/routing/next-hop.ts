import type { NodeId } from "@starling/crypto-identity";
import { NON_IMPROVING_MAX } from "@starling/wire-protocol";
import { distanceLog2, isCloser } from "../distance.ts";
import type { Links } from "./links.ts";

// The rule of PROTOCOL §7.6 (7) for the next hop, as one pure function: own link to the recipient, learned route, the best reachable
// neighbour closer to it than oneself; and where there is none, an anchor with the flag `last`.

/** Below it a neighbour is taken where nobody else is left. */
const BAD_SCORE = 0.5;
/** A bad neighbour stands as if it were so many times as far away, as a power of 2. */
const BAD_LOG2 = 20;

export type NextHop = {
  readonly peer: NodeId;
  readonly last: boolean;
  readonly nonImproving: number;
  /** By a learned route: where it fails, distance decides. */
  readonly learned: boolean;
};

export type NextHopQuestion = {
  readonly self: NodeId;
  readonly recipient: NodeId;
  readonly links: Links;
  /** This node carries messages for others itself. */
  readonly isSelfReachable: boolean;
  /** A fresh verified route, if one is known. */
  readonly learned: NodeId | undefined;
  /** Links the envelope came in on, and those already tried. */
  readonly isExcluded: (peer: NodeId) => boolean;
  /** First hops of earlier attempts: taken when no other is left. */
  readonly used: ReadonlySet<NodeId>;
  /** We are its author: the first step may lead away from the recipient. */
  readonly source: boolean;
  /** The author asked for a relayed path (`via: relay`): its own link to the recipient is not used. */
  readonly avoidRecipient: boolean;
  readonly last: boolean;
  readonly nonImproving: number;
  readonly scoreOf: (peer: NodeId) => number;
};

/** The link to try next, or undefined where this node knows no way. */
export function nextHop(question: NextHopQuestion): NextHop | undefined {
  const { self, recipient, links, learned, isExcluded, source, last, nonImproving, scoreOf } = question;
  const hop = (peer: NodeId, changes: Partial<NextHop> = {}): NextHop => ({
    peer,
    last,
    nonImproving,
    learned: false,
    ...changes,
  });
  if (!question.avoidRecipient && links.has(recipient) && !isExcluded(recipient)) return hop(recipient);
  const isFree = (id: NodeId) => id !== recipient && !isExcluded(id) && links.has(id);
  if (learned !== undefined && isFree(learned) && !question.used.has(learned) && scoreOf(learned) >= BAD_SCORE) {
    return hop(learned, { learned: true });
  }
  if (last) return undefined;

  const free = links.reachable().filter(isFree);
  const goesAnywhere = source || !question.isSelfReachable;
  const any = best(free, question);
  if (goesAnywhere && any !== undefined) {
    const isStep = !source && !isCloser(recipient, any, self);
    if (!isStep) return hop(any);
    if (nonImproving < NON_IMPROVING_MAX) return hop(any, { nonImproving: nonImproving + 1 });
  }
  const closer = best(
    free.filter((id) => isCloser(recipient, id, self)),
    question,
  );
  if (closer !== undefined && scoreOf(closer) >= BAD_SCORE) return hop(closer);
  // A way exists and does not work: around it, as long as steps are left.
  const isMinimum = !links.reachable().some((id) => id !== recipient && isCloser(recipient, id, self));
  if (!isMinimum && nonImproving < NON_IMPROVING_MAX && any !== undefined && scoreOf(any) >= BAD_SCORE) {
    return hop(any, { nonImproving: nonImproving + 1 });
  }
  if (closer !== undefined) return hop(closer);
  // A local minimum: whoever is attached to the recipient is most likely among the nodes next to us.
  const anchor = best(links.anchors().filter(isFree), question);
  return anchor === undefined ? undefined : hop(anchor, { last: true });
}

/** The closest, where neighbours that deliver count as closer than those that do not. */
function best(ids: readonly NodeId[], { recipient, used, scoreOf }: NextHopQuestion): NodeId | undefined {
  let best: NodeId | undefined;
  let bestWeight = Number.POSITIVE_INFINITY;
  for (const id of ids) {
    const score = scoreOf(id);
    let weight = distanceLog2(recipient, id) - Math.log2(0.05 + score * score);
    if (score < BAD_SCORE) weight += BAD_LOG2;
    if (used.has(id)) weight += 512;
    if (weight < bestWeight) [best, bestWeight] = [id, weight];
  }
  return best;
}
