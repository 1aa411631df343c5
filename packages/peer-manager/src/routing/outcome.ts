import type { NodeId } from "@starling/crypto-identity";
import type { SendFailReason } from "@starling/wire-protocol";
import type { SendTo } from "./answers.ts";

/** What should be sent, and what became of an envelope of our own. */
export type ForwarderOutput =
  | SendTo
  | { readonly type: "settled"; readonly id: string; readonly outcome: Outcome }
  | { readonly type: "dropped"; readonly reason: string };

/** What became of an envelope of our own. */
export type Outcome =
  | { readonly type: "acknowledged"; readonly hops: number; readonly via: NodeId }
  | { readonly type: "failed"; readonly reason: SendFailReason; readonly detail: number };

/** An envelope of our own, on its way for the first time. */
export type Origination = {
  readonly id: string;
  readonly lock: Uint8Array;
  readonly recipient: NodeId;
  readonly encodedEnvelope: Uint8Array;
  /** `via: relay`: do not use our own link to the recipient. */
  readonly avoidRecipient: boolean;
  /** Earlier envelopes of the same message: their first hops are taken last. */
  readonly earlierIds?: readonly string[];
  /** A second first hop follows the first before long, whatever becomes of it. */
  readonly isPair?: boolean;
  /** The first hop, where it has a link: somebody who said that the recipient is attached to it. */
  readonly firstHop?: NodeId | undefined;
};
