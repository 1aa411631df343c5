import type { NodeId } from "@starling/crypto-identity";
import type { Address, Candidate, Description } from "@starling/wire-protocol";

/** What a relay is handed from outside; the bytes of a datagram are untrusted. */
export type RelayInput = { readonly type: "datagram"; readonly from: Address; readonly bytes: Uint8Array };

/**
 * A program's wish to send. `id` is the caller's, unique among its open submissions; the outcome carries it: `receipt`, or for a
 * request `answered`, or `failed`.
 */
export type Submit = {
  readonly type: "submit" | "request";
  readonly id: string;
  readonly to: NodeId;
  readonly content: Uint8Array;
  readonly topic: string;
  /** `relay`: not over our own link to the recipient. `channel`: over a data channel only. */
  readonly via: "any" | "relay" | "channel";
  readonly timeoutMs: number;
  /** 16 bytes of the program's own; another submission with them is the same message to its recipient. By chance unless given. */
  readonly messageId?: Uint8Array | undefined;
};

/** A program's answer to a request that it was handed; `requestId` is that request's message id, in hex. */
export type Reply = {
  readonly type: "reply";
  readonly id: string;
  readonly requestId: string;
  readonly content: Uint8Array;
};

/** A program's wish to tell everybody; answered by `broadcast-sent` or `failed` with this id. */
export type Broadcast = {
  readonly type: "broadcast";
  readonly id: string;
  readonly content: Uint8Array;
  readonly topic: string;
};

/** What the RTC hub has to say of a channel. Messages are untrusted. */
export type RtcInput =
  | { readonly type: "rtc-described"; readonly channel: string; readonly description: Description }
  | { readonly type: "rtc-found"; readonly channel: string; readonly candidate: Candidate }
  | { readonly type: "rtc-opened"; readonly channel: string }
  | { readonly type: "rtc-message"; readonly channel: string; readonly message: Uint8Array }
  | { readonly type: "rtc-closed"; readonly channel: string; readonly reason: string };

/** All that a node is handed from outside: datagrams, channels' news, programs' wishes, and answers to its own outputs. */
export type NodeInput =
  | RelayInput
  | RtcInput
  /** Is the node with this key there, and by which way? Answered by `receipt` or `failed` with this id; no program is told. */
  | {
      readonly type: "ping";
      readonly id: string;
      readonly to: NodeId;
      readonly via: Submit["via"];
      readonly timeoutMs: number;
    }
  /** Which way would a message take, and where does it end? Answered by `traced` with this id. */
  | { readonly type: "trace"; readonly id: string; readonly to: NodeId }
  /** Open a channel to a peer, or a session where an address is given; answered by `connected` or `failed` with this id. */
  | { readonly type: "connect"; readonly id: string; readonly peer: NodeId; readonly address?: Address | undefined }
  /** Close the channel to a peer, if there is one. */
  | { readonly type: "disconnect"; readonly peer: NodeId }
  /** For drills: the channel to a peer dies without a word, and this node finds out as it would in earnest. */
  | { readonly type: "sever"; readonly peer: NodeId }
  | Submit
  | Reply
  | Broadcast
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "minted"; readonly job: string; readonly nonce: Uint8Array }
  | { readonly type: "mint-failed"; readonly job: string }
  /** The inbox entry of this key survives this process: it may be handed out, and is not acknowledged yet. May be left out. */
  | { readonly type: "written"; readonly key: string }
  /** The inbox entry of this key survives this machine, or could not be written. */
  | { readonly type: "stored"; readonly key: string; readonly ok: boolean }
  /** Whether a program is there to take messages, and of which lanes (`laneOf`) no more are taken now. */
  | { readonly type: "listening"; readonly on: boolean; readonly except?: readonly string[] };
