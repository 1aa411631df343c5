import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import type { Address, Announce, Bye, Contact, DialBack, Lookup, NodeRole, Nodes } from "@starling/wire-protocol";
import type { BlockLimits } from "./block-limits.ts";

/** What should be done about links, and news of them. */
export type MembershipOutput =
  | {
      readonly type: "dial";
      readonly peer: NodeId;
      readonly address: Address;
      /** One Hello only. */
      readonly once: boolean;
      /** Goes with the Hello: whom the peer knows near this id. */
      readonly lookup: Lookup;
    }
  | { readonly type: "send"; readonly peer: NodeId; readonly message: Announce | DialBack | Nodes }
  | { readonly type: "hang-up"; readonly peer: NodeId; readonly reason: Bye["reason"] }
  /** Keep them for the next start: anchors first. */
  | { readonly type: "save-peers"; readonly peers: readonly Contact[] }
  | { readonly type: "dropped"; readonly reason: string };

/** What the owner of the links knows of one. */
export type LinkView = {
  /** Round trip, ms; undefined before the first is known. */
  readonly rttOf: (peer: NodeId) => number | undefined;
  /** An ack may still be on its way over it: a bad moment to hang up. */
  readonly isInUse: (peer: NodeId, nowMono: number) => boolean;
};

/** What membership is made of. */
export type MembershipOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly role: NodeRole;
  readonly bootstrap: readonly Contact[];
  /** What `save-peers` said in an earlier life. */
  readonly saved?: readonly Contact[];
  /** Addresses the operator says this node is reachable at (`--announce`). */
  readonly announce: readonly Address[];
  readonly maxNeighbours: number;
  /** Dials bootstrap nodes and nobody else, and asks nobody to dial it (`--passive`). */
  readonly passive?: boolean;
  /** For laboratories: other limits of a block than the protocol's. */
  readonly blockLimits?: Partial<BlockLimits>;
  readonly random: RandomSource;
};
