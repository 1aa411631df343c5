import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import type { BlockLimits } from "@starling/peer-manager";
import type { SessionCrypto, SessionLimits } from "@starling/session";
import type { Address, Contact, DirectResult, MessageBody, NodeRole, Nodes } from "@starling/wire-protocol";
import type { ForwardLimits } from "./forward-quota.ts";
import type { ForwardingOutput } from "./forwarding.ts";
import type { LinkPath } from "./links.ts";
import type { RelayOutput } from "./output.ts";
import type { SignallingOutput } from "./signalling-output.ts";

// What an overlay is told when it is made, and what it says.

export type OverlayOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly role: NodeRole;
  readonly bootstrap: readonly Contact[];
  readonly announce: readonly Address[];
  readonly maxNeighbours: number;
  /** For laboratories: other limits of a block (/24, /48) than the protocol's. */
  readonly blockLimits?: Partial<BlockLimits>;
  /** What `save-peers` said in an earlier life. */
  readonly saved?: readonly Contact[];
  /** Dials bootstrap nodes and nobody else. */
  readonly passive?: boolean;
  readonly random: RandomSource;
  /** Replaced by the simulator only. */
  readonly crypto?: SessionCrypto;
  readonly floor?: (sizeBytes: number) => number;
  readonly publishFloor?: (sizeBytes: number) => number;
  readonly quota?: Partial<ForwardLimits>;
  /** Changes to the limits of sessions; `links` is by `maxNeighbours`. */
  readonly sessionLimits?: Partial<Omit<SessionLimits, "links">>;
  /** Envelopes under way at once, and messages that the SeenFilter may grow to in a rotation. */
  readonly pendingMax?: number;
  readonly seenMax?: number;
  /** Whether a peer may have a link at all; asked at each handshake, so the answer may change. */
  readonly admits?: (peer: NodeId) => boolean;
  /** Channels at once; 0, the default, for a node that opens none. */
  readonly maxChannels?: number;
  /** Its record never holds an address, and nobody is asked to dial it (PROTOCOL §9, `relayed-only`). Default false. */
  readonly hidesAddress?: boolean;
  /** What `save-freshness-bound` said in an earlier life. */
  readonly freshnessBoundMs?: number;
};

export type OverlayOutput =
  | RelayOutput
  | ForwardingOutput
  /** What signalling has agreed on did not become a link. */
  | Extract<SignallingOutput, { type: "channel-failed" }>
  /** A neighbour's answer to a Lookup. */
  | { readonly type: "nodes-arrived"; readonly peer: NodeId; readonly nodes: Nodes }
  /** A Direct from the other end of a link, or its answer to one of ours. */
  | { readonly type: "direct-arrived"; readonly peer: NodeId; readonly path: LinkPath; readonly body: MessageBody }
  | {
      readonly type: "direct-answered";
      readonly peer: NodeId;
      readonly path: LinkPath;
      readonly messageId: string;
      readonly result: DirectResult;
    };
