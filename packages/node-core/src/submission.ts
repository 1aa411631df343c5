import type { NodeId } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { MessageBody, MessageKind } from "@starling/wire-protocol";
import { bytesToHex, MESSAGE_ID_BYTES } from "@starling/wire-protocol";
import type { Attempt } from "./attempt.ts";
import type { SubmitErrorCode } from "./errors.ts";
import type { Receipt } from "./output.ts";
import type { StreamPosition } from "./streams.ts";

/** What the outbox is asked to deliver: a program's message, request or reply, or a signal of this node's own. */
export type OutgoingMessage = {
  readonly id: string;
  readonly kind: MessageKind;
  readonly to: NodeId;
  readonly content: Uint8Array;
  readonly topic: string;
  readonly via: "any" | "relay" | "channel";
  readonly timeoutMs: number;
  /** The messageId of the request that a reply answers. */
  readonly requestId: Uint8Array | undefined;
  /** The program's own, if it has one. */
  readonly messageId?: Uint8Array | undefined;
};

export type Phase =
  /** Too far ahead of an earlier message of its stream that has no outcome yet. */
  | { readonly type: "queued" }
  /** Waits for a channel to open (`via: channel`). */
  | { readonly type: "opening" }
  /** A Direct is on the link to the recipient. */
  | { readonly type: "direct"; readonly untilMono: number }
  /** A node that the recipient is attached to is being looked for. */
  | { readonly type: "looking-up"; readonly untilMono: number }
  | { readonly type: "minting"; readonly attempt: Attempt; readonly way: Way }
  | {
      readonly type: "sent";
      readonly untilMono: number;
      readonly way: Way;
      /** Of the envelope: a price told is for it. */
      readonly sizeBytes: number;
    }
  | { readonly type: "backing-off"; readonly untilMono: number }
  /** A request that was delivered and not answered yet. */
  | { readonly type: "awaiting-reply"; readonly receipt: Receipt };

/** How an attempt goes out: over a second first hop as well, or handed to this one. */
export type Way = { readonly isPair: boolean; readonly firstHop: NodeId | undefined };

export type Failure = { readonly code: SubmitErrorCode; readonly message: string };

/** A message under way, from its submission to its outcome. */
export type Submission = {
  readonly message: OutgoingMessage;
  readonly body: Omit<MessageBody, "lowestUnsettledSeq">;
  /** Hex of body.messageId. */
  readonly messageId: string;
  readonly position: StreamPosition;
  readonly startedMono: number;
  readonly deadlineMono: number;
  readonly envelopeIds: string[];
  /** When each envelope was sent, by its id. BOUNDED: tries. */
  readonly sentMono: Map<string, number>;
  /** Sealed attempts so far. */
  tries: number;
  /** Multiple of the floor that the last stamp claimed; never lowered. */
  bid: number;
  /** Nodes that said the recipient is attached to them, to whom an attempt was handed. BOUNDED: tries. */
  readonly handedTo: NodeId[];
  /** Times that somebody who is not the recipient said it has no inbox. */
  noInboxCount: number;
  /** Times that somebody called a stamp stale by a clock that ours is more than two minutes from. */
  wrongClockCount: number;
  /** Times that the channel now in use did not take a Direct, or did not answer it in time (`via: channel`). */
  channelTries: number;
  /** A Direct was not answered: the next attempts avoid the link to the recipient. */
  directFailed: boolean;
  phase: Phase;
  lastFailure: Failure | undefined;
};

/** A submission at its beginning. */
export function newSubmission(
  message: OutgoingMessage,
  messageId: Uint8Array,
  position: StreamPosition,
  now: Now,
): Submission {
  return {
    message,
    body: {
      kind: message.kind,
      messageId,
      createdMs: now.wall,
      expiresMs: now.wall + message.timeoutMs,
      stream: position.stream,
      seq: position.seq,
      requestId: message.requestId ?? new Uint8Array(MESSAGE_ID_BYTES),
      topic: message.topic,
      content: message.content,
    },
    messageId: bytesToHex(messageId),
    position,
    startedMono: now.mono,
    deadlineMono: now.mono + message.timeoutMs,
    envelopeIds: [],
    sentMono: new Map(),
    tries: 0,
    bid: 0,
    handedTo: [],
    noInboxCount: 0,
    wrongClockCount: 0,
    channelTries: 0,
    directFailed: false,
    phase: { type: "opening" },
    lastFailure: undefined,
  };
}

/** When a submission wants to be looked at again. */
export function dueMono({ phase, deadlineMono, startedMono, position }: Submission): number {
  switch (phase.type) {
    case "queued":
      return position.hasTurn() ? startedMono : deadlineMono;
    case "direct":
    case "looking-up":
    case "sent":
    case "backing-off":
      return Math.min(phase.untilMono, deadlineMono);
    default:
      return deadlineMono;
  }
}
