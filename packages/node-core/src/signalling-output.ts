import type { NodeId } from "@starling/crypto-identity";
import type { AgreedChannel } from "@starling/session";
import type { Candidate, Description } from "@starling/wire-protocol";

export type SignallingOutput =
  /** To be sealed and sent like any message; it is for the peer's signalling. */
  | { readonly type: "send-signal"; readonly peer: NodeId; readonly content: Uint8Array }
  | { readonly type: "rtc-offer"; readonly channel: string; readonly label: string }
  | { readonly type: "rtc-accept"; readonly channel: string; readonly label: string; readonly description: Description }
  | { readonly type: "rtc-answer"; readonly channel: string; readonly description: Description }
  | { readonly type: "rtc-candidate"; readonly channel: string; readonly candidate: Candidate }
  | { readonly type: "rtc-cancel"; readonly channel: string }
  /** The carrier is there and both ends hold the keys: Data may flow. */
  | { readonly type: "channel-ready"; readonly channel: AgreedChannel; readonly isOwn: boolean }
  | { readonly type: "channel-failed"; readonly peer: NodeId; readonly reason: string }
  | { readonly type: "dropped"; readonly reason: string };
