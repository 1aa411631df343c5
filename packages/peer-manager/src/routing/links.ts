import type { NodeId } from "@starling/crypto-identity";

/** What routing sees of the neighbourhood, asked anew at each step. */
export type Links = {
  /** Whether it is a neighbour. */
  readonly has: (id: NodeId) => boolean;
  /** Neighbours that carry messages for others. */
  readonly reachable: () => readonly NodeId[];
  /** The closest reachable neighbours, at most four. */
  readonly anchors: () => readonly NodeId[];
  /** The neighbour has not answered where it should have: perhaps it is gone. */
  readonly isDoubtful: (id: NodeId, nowMono: number) => boolean;
  /** This node carries messages for others itself. */
  readonly isSelfReachable: (nowMono: number) => boolean;
};
