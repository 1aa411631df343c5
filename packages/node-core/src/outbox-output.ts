import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import type { MessageBody } from "@starling/wire-protocol";
import type { Attempt } from "./attempt.ts";
import type { MintRequest, Receipt } from "./output.ts";
import type { Failure, Way } from "./submission.ts";

// What the outbox is made with, and what it asks for.

export type OutboxOutput =
  | MintRequest
  | { readonly type: "cancel-mint"; readonly job: string }
  | {
      readonly type: "originate";
      readonly attempt: Attempt;
      readonly to: NodeId;
      readonly avoidRecipient: boolean;
      readonly way: Way;
      /** Earlier envelopes of the message. */
      readonly earlierIds: readonly string[];
    }
  /** Answered by `found` or `notFound`. */
  | { readonly type: "find"; readonly target: NodeId; readonly excluded: readonly NodeId[] }
  /** Answered by `directAnswered`, or by `directRefused` where no link takes it: of `channelOnly`, where the channel does not. */
  | {
      readonly type: "send-direct";
      readonly peer: NodeId;
      readonly messageId: string;
      readonly body: MessageBody;
      readonly channelOnly: boolean;
    }
  /** A Direct was not answered in time: is the peer still there? */
  | { readonly type: "suspect"; readonly peer: NodeId }
  | { readonly type: "want-channel"; readonly peer: NodeId }
  | { readonly type: "receipt"; readonly id: string; readonly receipt: Receipt }
  | { readonly type: "answered"; readonly id: string; readonly content: Uint8Array; readonly receipt: Receipt }
  | ({ readonly type: "failed"; readonly id: string } & Failure);

export type OutboxOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly random: RandomSource;
  readonly floor: (sizeBytes: number) => number;
  /** What is asked for carrying a Send to this recipient, as a multiple of the floor; hearsay. */
  readonly price: (to: NodeId) => number;
  /** How far the neighbours' clocks are ahead of ours. */
  readonly clockOffsetMs: () => number;
  /** The best link to a peer, if there is one: what it is and its round trip. */
  readonly linkTo: (
    peer: NodeId,
  ) => { readonly path: "channel" | "session"; readonly rttMs: number | undefined } | undefined;
};
