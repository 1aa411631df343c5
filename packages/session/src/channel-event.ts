// What the owner of a channel table tells it, and is told.
import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import type { CloseReason, SessionEvent } from "./event.ts";

/** A channel whose ends have agreed on keys. */
export type AgreedChannel = {
  /** The owner's name of the channel. */
  readonly channel: string;
  readonly peer: NodeId;
  readonly keys: SessionKeys;
  readonly isInitiator: boolean;
  readonly localIndex: number;
  readonly remoteIndex: number;
};

/** Send this over a channel. */
export type ChannelTransmit = {
  readonly channel: string;
  readonly datagram: Uint8Array;
  /** It may go ahead of what was sent before: nothing but Pings, Pongs and Acks. */
  readonly isControl: boolean;
};

/** What happened to links over channels. */
export type ChannelEvent =
  | SessionEvent
  /** The link goes on over a second channel, and this one is to be closed. */
  | { readonly type: "replaced"; readonly peer: NodeId; readonly channel: string }
  /** What was adopted has ended before its peer's first Data: there was no link, and none is closed. */
  | { readonly type: "unopened"; readonly peer: NodeId; readonly reason: CloseReason };
