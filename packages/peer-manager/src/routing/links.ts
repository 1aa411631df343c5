import type { NodeId } from "@starling/crypto-identity";

/** What routing sees of the neighbourhood, asked anew at each step. */
export type Links = {
  readonly has: (id: NodeId) => boolean;
  /** Neighbours that carry messages for others. */
  readonly reachable: () => readonly NodeId[];
  readonly anchors: () => readonly NodeId[];
  /** This node carries messages for others itself. */
  readonly isSelfReachable: (nowMono: number) => boolean;
};
