import type { NodeId } from "@starling/crypto-identity";
import type { Address, Candidate, Contact, Description, MessageKind } from "@starling/wire-protocol";
import type { SubmitErrorCode } from "./errors.ts";
import type { Phase } from "./submission.ts";

/** Send these bytes from the UDP socket. */
export type Transmit = { readonly type: "transmit"; readonly to: Address; readonly datagram: Uint8Array };

/** For the RTC hub: a message for the other end of a channel, behind what went before; an urgent one goes ahead of that. */
export type RtcSend = {
  readonly type: "rtc-send";
  readonly channel: string;
  readonly message: Uint8Array;
  readonly urgent: boolean;
};
/** For the RTC hub: close a channel, open or not, once what was sent has gone. */
export type RtcClose = { readonly type: "rtc-close"; readonly channel: string };

/** For the RTC hub; it answers with the inputs `rtc-…`. `channel` is our name of the channel, the peer never sees it. */
export type RtcCommand =
  | RtcSend
  | RtcClose
  /** For drills: cut the channel's sockets and tell nobody. */
  | { readonly type: "rtc-sever"; readonly channel: string }
  /** Make a channel with this label and describe it. */
  | { readonly type: "rtc-offer"; readonly channel: string; readonly label: string }
  /** Answer the description of a peer, and describe that. Its candidates have been filtered. */
  | { readonly type: "rtc-accept"; readonly channel: string; readonly label: string; readonly description: Description }
  | { readonly type: "rtc-answer"; readonly channel: string; readonly description: Description }
  | { readonly type: "rtc-candidate"; readonly channel: string; readonly candidate: Candidate };

/** News of links, for a log and for programs. */
export type LinkChange =
  | {
      readonly type: "link-opened";
      readonly link: "session" | "channel";
      readonly peer: NodeId;
      /** Where a session's datagrams go; the placeholder 0.0.0.0:0 for a channel. */
      readonly address: Address;
    }
  | {
      readonly type: "link-closed";
      readonly link: "session" | "channel";
      readonly peer: NodeId;
      /** `timeout`, `bye`, `local` or `evicted`; `replaced` for a channel that another takes over from, which opens with it. */
      readonly reason: string;
    }
  /** A dial was not answered: of a bootstrap node, which is tried again by itself, or of anybody else. */
  | { readonly type: "link-unanswered"; readonly peer: NodeId; readonly address: Address };

/** Contacts to keep for the next start, the anchors first: it is handed them as `saved`. */
export type SavePeers = { readonly type: "save-peers"; readonly peers: readonly Contact[] };

/** The bound to keep for the next start, which is handed it as `freshnessBoundMs`. It never moves back but by `clock-set-back`. */
export type SaveFreshnessBound = { readonly type: "save-freshness-bound"; readonly boundMs: number };

/** E_CLOCK: the bound stood more than 30 s ahead of wall time, so this clock was wrong before or is now. It has been reset to it. */
export type ClockSetBack = { readonly type: "clock-set-back"; readonly wallMs: number };

/** What a relay says should happen, and its news. */
export type RelayOutput = Transmit | LinkChange | SavePeers | SaveFreshnessBound | ClockSetBack;

/** What a message came over: a data channel or a session with its author, or other peers' links. */
export type MessagePath = "channel" | "session" | "relayed";

/** A message as it stands in the inbox. */
export type InboxEntry = {
  /** `<sender id>:<message id in hex>`: what exactly-once is keyed by. */
  readonly key: string;
  readonly kind: "message" | "request";
  readonly from: NodeId;
  readonly messageId: string;
  readonly topic: string;
  readonly content: Uint8Array;
  readonly path: MessagePath;
  readonly receivedAtMs: number;
  readonly expiresMs: number;
  /** In hex; order is kept within it. */
  readonly stream: string;
  readonly seq: number;
  readonly lowestUnsettledSeq: number;
};

/** A broadcast of another node, as signed by its origin. */
export type BroadcastMessage = {
  readonly messageId: string;
  readonly from: NodeId;
  readonly topic: string;
  readonly content: Uint8Array;
  readonly receivedAtMs: number;
};

/** A receipt: the recipient's daemon has written the message. */
export type Receipt = {
  readonly messageId: string;
  readonly path: MessagePath;
  /** Links that the message went over. */
  readonly hops: number;
  readonly elapsedMs: number;
};

/**
 * Mint a stamp of `effort` expected hashes for the 32-byte `digest`, from the 8-byte `startNonce` on; answer with the input
 * `minted` or `mint-failed` of this `job` within `deadlineMs`.
 */
export type MintRequest = {
  readonly type: "mint";
  readonly job: string;
  readonly digest: Uint8Array;
  readonly effort: number;
  readonly startNonce: Uint8Array;
  readonly deadlineMs: number;
};

/** One question of a trace and what was answered; `ms` is how long it took. */
export type TraceStep = {
  /** Who answers: this node itself, or a neighbour. */
  readonly node: NodeId;
  readonly asked: "own link" | "neighbours that carry messages" | "link to the recipient";
  readonly answer: MessagePath | "yes" | "none" | "no answer";
  readonly ms: number;
};

/** A message of a program that has no outcome yet, and how far it is. */
export type OpenMessage = {
  readonly to: NodeId;
  readonly kind: Exclude<MessageKind, "signal"> | "ping";
  readonly phase: Phase["type"];
  /** Envelopes sent so far. */
  readonly tries: number;
  readonly sinceMs: number;
};

/** All that a node says should happen, and its news. */
export type NodeOutput =
  | RelayOutput
  | RtcCommand
  /** A link that was asked for is open. */
  | { readonly type: "connected"; readonly id: string; readonly peer: NodeId }
  | MintRequest
  | { readonly type: "cancel-mint"; readonly job: string }
  /** Write it, then answer with the input `stored`. */
  | { readonly type: "store"; readonly entry: InboxEntry }
  /** Note that it has been handed out (before it is), so that a restart does not hand it out again. */
  | { readonly type: "handed-out"; readonly key: string }
  /** It waited too long for a program and is dropped: note it as handed out. */
  | { readonly type: "discarded"; readonly key: string }
  | { readonly type: "deliver"; readonly message: InboxEntry }
  | { readonly type: "deliver-broadcast"; readonly message: BroadcastMessage }
  /** It is out; nobody acknowledges a broadcast. */
  | { readonly type: "broadcast-sent"; readonly id: string; readonly messageId: string }
  | { readonly type: "receipt"; readonly id: string; readonly receipt: Receipt }
  | { readonly type: "traced"; readonly id: string; readonly steps: readonly TraceStep[] }
  /** A request was answered. */
  | { readonly type: "answered"; readonly id: string; readonly content: Uint8Array; readonly receipt: Receipt }
  | { readonly type: "failed"; readonly id: string; readonly code: SubmitErrorCode; readonly message: string };
