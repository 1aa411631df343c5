import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import type { Now, Outcome } from "@starling/peer-manager";
import type { DirectResult, MessageBody } from "@starling/wire-protocol";
import { bytesToHex, MESSAGE_ID_BYTES, WireError } from "@starling/wire-protocol";
import { type Attempt, sealAttempt, stamped } from "./attempt.ts";
import { attemptTimerMs, backOffMs, RouteTimes, rungOf } from "./attempt-plan.ts";
import { envelopePrologue } from "./delivery.ts";
import { CLOCK_MAX_MS, clockFailure, outgoingRefusal } from "./outgoing-limits.ts";
import type { MessagePath, MintRequest, Receipt } from "./output.ts";
import { Streams } from "./streams.ts";
import { dueMono, type Failure, type OutgoingMessage, type Submission, type Way } from "./submission.ts";

// The author's side of a message, PROTOCOL §5. Over a link to the recipient as a Direct; else sealed, minted and sent, and again
// with a new envelope around the same messageId, until the recipient acknowledges it or the deadline comes.
//
// A message that is 256 ahead of the oldest of its stream without an outcome waits first: the recipient keeps no order beyond that.
//
//   submit ─ a link to the recipient ─▶ direct ─ DirectAck ────────────────▶ receipt ─ a request ─▶ awaiting reply ─▶ answered
//      │                                  │ no answer, link lost                ▲
//      └─ none, or via relay ─▶ minting ◀─┘                                     │
//                                ▲  └─ minted ─▶ sent ─ SendAck opens the lock ─┘
//                                └─ backing off, or looking up ◀─┘ SendFail, or no ack within the attempt timer

export const TIMEOUT_MAX_MS = 600_000;
/** A Lookup that found nobody by then is given up; the attempt goes another way. */
const LOOKUP_MS = 5000;
/** Strangers who say that the recipient is a relay are believed when so many have. */
const NO_INBOX_BELIEVED = 2;
/** A stamp is bid above the price told, and raised when it was shed all the same. */
const BID = 1.15;
const BID_RAISE = 1.6;
/** A price told to us is never followed above this per 512 bytes. */
const PRICE_CAP = 2 ** 22;
/** A link on which a Direct was not answered is not trusted with the next ones for this long. */
const SUSPECT_MS = 10_000;

const SINGLE: Way = { isPair: false, firstHop: undefined };
const PAIR: Way = { isPair: true, firstHop: undefined };
const NOT_A_NODE: Failure = { code: "E_NOT_A_NODE", message: "this id is a relay's: it has no inbox" };

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
  /** Answered by `directAnswered`, or by `directRefused` where no link takes it. */
  | { readonly type: "send-direct"; readonly peer: NodeId; readonly messageId: string; readonly body: MessageBody }
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
  /** How far the neighbours' clocks are ahead of ours. */
  readonly clockOffsetMs: () => number;
  /** The best link to a peer, if there is one: what it is and its round trip. */
  readonly linkTo: (
    peer: NodeId,
  ) => { readonly path: "channel" | "session"; readonly rttMs: number | undefined } | undefined;
};

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #prologue: Uint8Array;
  readonly #streams: Streams;
  // BOUNDED: open submissions (outgoing-limits.ts), and the attempts that their deadlines allow.
  readonly #submissions = new Map<string, Submission>();
  readonly #byEnvelope = new Map<string, Submission>();
  readonly #byMessage = new Map<string, Submission>();
  /** BOUNDED: recipients of open submissions; swept when it grows. */
  readonly #suspectUntilMono = new Map<NodeId, number>();
  readonly #routeTimes = new RouteTimes();
  /** By how much our stamps are moved, after a neighbour called one stale; at most ± 120 s. */
  #clockOffsetMs = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#prologue = envelopePrologue(options.network);
    this.#streams = new Streams(options.random);
  }

  get openCount(): number {
    return this.#submissions.size;
  }

  /** Those under way, oldest first. */
  open(): readonly Submission[] {
    return [...this.#submissions.values()];
  }

  submit(message: OutgoingMessage, now: Now): OutboxOutput[] {
    const { identity, random } = this.#options;
    const refusal = outgoingRefusal(message, {
      self: identity.id,
      clockOffsetMs: this.#options.clockOffsetMs(),
      openCount: this.#submissions.size,
      isOpen: this.#submissions.has(message.id),
    });
    if (refusal !== undefined) return [{ type: "failed", id: message.id, ...refusal }];
    const messageId = message.messageId ?? random(MESSAGE_ID_BYTES);
    if (message.messageId !== undefined && this.#byMessage.has(bytesToHex(messageId))) {
      return [{ type: "failed", id: message.id, code: "E_DUPLICATE", message: "this message is under way already" }];
    }
    // Replies and signals are taken as they come: a number of theirs would leave a gap in the stream.
    const isOrdered = message.kind === "message" || message.kind === "request";
    const position = isOrdered ? this.#streams.next(message.to, message.topic) : this.#streams.single();
    const submission: Submission = {
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
      tries: 0,
      bid: BID,
      handedTo: [],
      noInboxCount: 0,
      directFailed: false,
      phase: { type: "opening" },
      lastFailure: undefined,
    };
    this.#submissions.set(message.id, submission);
    this.#byMessage.set(submission.messageId, submission);
    return this.#begin(submission, now);
  }

  cancel(id: string): OutboxOutput[] {
    const submission = this.#submissions.get(id);
    if (submission === undefined) return [];
    return this.#close(submission, { code: "E_CANCELLED", message: "the program cancelled the message" });
  }

  minted(job: string, nonce: Uint8Array, now: Now): OutboxOutput[] {
    const submission = this.#byEnvelope.get(job);
    if (submission?.phase.type !== "minting" || submission.phase.attempt.id !== job) return [];
    const { attempt, way } = submission.phase;
    stamped(attempt, nonce);
    const { to, via } = submission.message;
    const untilMono = now.mono + attemptTimerMs(this.#routeTimes.of(to), submission.tries);
    submission.phase = { type: "sent", untilMono, sinceMono: now.mono };
    const avoidRecipient = via === "relay" || submission.directFailed;
    const earlierIds = submission.envelopeIds.slice(0, -1);
    return [{ type: "originate", attempt, to, avoidRecipient, way, earlierIds }];
  }

  /** A node says that the target is attached to it: what waits for that is handed to it. */
  found(target: NodeId, peer: NodeId, now: Now): OutboxOutput[] {
    return this.#lookingUp(target).flatMap((submission) => {
      submission.handedTo.push(peer);
      return this.#seal(submission, { isPair: false, firstHop: peer }, now);
    });
  }

  notFound(target: NodeId, now: Now): OutboxOutput[] {
    return this.#lookingUp(target).flatMap((submission) => this.#seal(submission, PAIR, now));
  }

  mintFailed(job: string, now: Now): OutboxOutput[] {
    const submission = this.#byEnvelope.get(job);
    if (submission?.phase.type !== "minting" || submission.phase.attempt.id !== job) return [];
    return this.#backOff(submission, { code: "E_MINT", message: "no stamp could be minted in time" }, now);
  }

  /** What became of one of our envelopes; that of an earlier attempt counts as well. */
  settled(envelopeId: string, outcome: Outcome, now: Now): OutboxOutput[] {
    const submission = this.#byEnvelope.get(envelopeId);
    if (submission === undefined) return [];
    if (outcome.type === "acknowledged") {
      const { phase, message } = submission;
      if (phase.type === "sent" && submission.envelopeIds.at(-1) === envelopeId) {
        this.#routeTimes.measured(message.to, now.mono - phase.sinceMono);
      }
      const path = outcome.via === submission.message.to ? "session" : "relayed";
      return this.#delivered(submission, path, outcome.hops, now);
    }
    // A late SendFail of an attempt that has been given up says nothing of the one under way.
    if (submission.envelopeIds.at(-1) !== envelopeId || submission.phase.type !== "sent") return [];
    return this.#attemptFailed(submission, outcome, now);
  }

  /** The recipient answered a Direct on its own link. */
  directAnswered(
    peer: NodeId,
    path: "channel" | "session",
    messageId: string,
    result: DirectResult,
    now: Now,
  ): OutboxOutput[] {
    const submission = this.#byMessage.get(messageId);
    if (submission?.message.to !== peer) return [];
    this.#suspectUntilMono.delete(peer);
    if (result === "ok") return this.#delivered(submission, path, 1, now);
    if (submission.phase.type !== "direct") return [];
    if (result === "no-inbox") return this.#close(submission, NOT_A_NODE);
    return this.#backOff(submission, { code: "E_INBOX_FULL", message: "the recipient's inbox is full" }, now);
  }

  /** No link took the Direct: it is sealed instead. */
  directRefused(messageId: string, now: Now): OutboxOutput[] {
    const submission = this.#byMessage.get(messageId);
    if (submission?.phase.type !== "direct") return [];
    submission.directFailed = true;
    return this.#begin(submission, now);
  }

  /** A channel to this peer opened: what waits for it goes. */
  channelOpened(peer: NodeId, now: Now): OutboxOutput[] {
    this.#suspectUntilMono.delete(peer);
    return [...this.#submissions.values()].flatMap((submission) => {
      const { phase, message } = submission;
      return phase.type === "opening" && message.to === peer ? this.#begin(submission, now) : [];
    });
  }

  /** A link to this peer is gone: Directs on it are sealed at once. */
  linkClosed(peer: NodeId, now: Now): OutboxOutput[] {
    this.#suspectUntilMono.delete(peer);
    return [...this.#submissions.values()].flatMap((submission) => {
      const { phase, message } = submission;
      return phase.type === "direct" && message.to === peer ? this.#begin(submission, now) : [];
    });
  }

  /** A reply came, from the one who was asked. */
  replied(from: NodeId, requestId: string, content: Uint8Array, now: Now): OutboxOutput[] {
    const submission = this.#byMessage.get(requestId);
    if (submission?.message.kind !== "request" || submission.message.to !== from) return [];
    const { phase, message } = submission;
    // The reply may overtake the request's own ack; it proves as much.
    const receipt = phase.type === "awaiting-reply" ? phase.receipt : this.#receipt(submission, "relayed", 0, now);
    return [...this.#forget(submission), { type: "answered", id: message.id, content, receipt }];
  }

  tick(now: Now): OutboxOutput[] {
    const outputs: OutboxOutput[] = [];
    for (const submission of [...this.#submissions.values()]) {
      if (now.mono < dueMono(submission)) continue;
      const { phase, deadlineMono, message } = submission;
      if (now.mono >= deadlineMono) {
        outputs.push(...this.#close(submission, this.#timeout(submission)));
      } else if (phase.type === "direct") {
        this.#suspectUntilMono.set(message.to, now.mono + SUSPECT_MS);
        submission.directFailed = true;
        outputs.push({ type: "suspect", peer: message.to }, ...this.#begin(submission, now));
      } else {
        outputs.push(...this.#begin(submission, now));
      }
    }
    if (this.#submissions.size === 0) this.#suspectUntilMono.clear();
    return outputs;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const submission of this.#submissions.values()) next = Math.min(next, dueMono(submission));
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #begin(submission: Submission, now: Now): OutboxOutput[] {
    const { to, via } = submission.message;
    if (!submission.position.hasTurn()) {
      submission.phase = { type: "queued" };
      return [];
    }
    const link = via === "relay" ? undefined : this.#options.linkTo(to);
    if (via === "channel") {
      if (link?.path !== "channel") {
        submission.phase = { type: "opening" };
        return [{ type: "want-channel", peer: to }];
      }
      return this.#direct(submission, link.rttMs, now);
    }
    const isSuspect = (this.#suspectUntilMono.get(to) ?? 0) > now.mono;
    if (link !== undefined && !isSuspect && !submission.directFailed) return this.#direct(submission, link.rttMs, now);
    if (isSuspect) submission.directFailed = true;
    switch (rungOf(submission.tries)) {
      case "single":
        return this.#seal(submission, SINGLE, now);
      case "pair":
        return this.#seal(submission, PAIR, now);
      case "lookup":
        if (submission.phase.type === "looking-up") return this.#seal(submission, PAIR, now);
        submission.phase = { type: "looking-up", untilMono: now.mono + LOOKUP_MS };
        return [{ type: "find", target: to, excluded: submission.handedTo }];
    }
  }

  #lookingUp(target: NodeId): Submission[] {
    return [...this.#submissions.values()].filter(
      ({ phase, message }) => phase.type === "looking-up" && message.to === target,
    );
  }

  #direct(submission: Submission, rttMs: number | undefined, now: Now): OutboxOutput[] {
    submission.phase = { type: "direct", untilMono: now.mono + attemptTimerMs(rttMs, 0) };
    const { messageId, message } = submission;
    return [{ type: "send-direct", peer: message.to, messageId, body: this.#bodyNow(submission) }];
  }

  #seal(submission: Submission, way: Way, now: Now): OutboxOutput[] {
    const { message, bid } = submission;
    submission.tries += 1;
    let attempt: Attempt;
    try {
      attempt = sealAttempt({
        ...this.#options,
        prologue: this.#prologue,
        recipient: message.to,
        body: this.#bodyNow(submission),
        timestampMs: Math.round(now.wall + this.#clockOffsetMs),
        effort: (sizeBytes) => {
          const cap = PRICE_CAP * Math.max(1, Math.ceil(sizeBytes / 512));
          return Math.min(cap, Math.ceil(this.#options.floor(sizeBytes) * bid));
        },
      });
    } catch (error) {
      if (error instanceof WireError) return this.#close(submission, { code: "E_TOO_LARGE", message: error.message });
      throw error;
    }
    submission.phase = { type: "minting", attempt, way };
    submission.envelopeIds.push(attempt.id);
    this.#byEnvelope.set(attempt.id, submission);
    const { digest, effort, startNonce, id } = attempt;
    return [{ type: "mint", job: id, digest, effort, startNonce, deadlineMs: submission.deadlineMono - now.mono }];
  }

  #bodyNow({ body, message, position }: Submission): MessageBody {
    const lowest = position.isOrdered ? this.#streams.lowestUnsettled(message.to, message.topic, body.seq) : body.seq;
    return { ...body, lowestUnsettledSeq: lowest };
  }

  #delivered(submission: Submission, path: MessagePath, hops: number, now: Now): OutboxOutput[] {
    const { message, phase, position } = submission;
    if (phase.type === "awaiting-reply") return [];
    const receipt = this.#receipt(submission, path, hops, now);
    if (message.kind !== "request") return [...this.#forget(submission), { type: "receipt", id: message.id, receipt }];
    position.settle();
    submission.phase = { type: "awaiting-reply", receipt };
    return [];
  }

  #receipt({ messageId, startedMono }: Submission, path: MessagePath, hops: number, now: Now): Receipt {
    return { messageId, path, hops, elapsedMs: Math.round(now.mono - startedMono) };
  }

  #attemptFailed(submission: Submission, outcome: Outcome & { type: "failed" }, now: Now): OutboxOutput[] {
    switch (outcome.reason) {
      case "no-inbox":
        // Anybody on the way can say so; where two ways say it, it is believed.
        submission.noInboxCount += 1;
        if (submission.noInboxCount >= NO_INBOX_BELIEVED) return this.#close(submission, NOT_A_NODE);
        return this.#backOff(submission, NOT_A_NODE, now);
      case "full":
        return this.#backOff(submission, { code: "E_INBOX_FULL", message: "the recipient's inbox is full" }, now);
      case "stale":
        return this.#stale(submission, outcome.detail, now);
      case "price":
      case "shed":
        submission.bid *= BID_RAISE;
        return this.#backOff(submission, { code: "E_QUOTA", message: "the neighbours are shedding load" }, now);
      default: {
        // Where every other way is closed, the link to the recipient is tried again.
        submission.directFailed = false;
        const message = `no way to the recipient is known (${outcome.reason}); it may be offline or on another network`;
        return this.#backOff(submission, { code: "E_NO_ROUTE", message }, now);
      }
    }
  }

  /** A neighbour called our timestamp stale and told its own bound (untrusted, so followed within ± 120 s only). */
  #stale(submission: Submission, boundMs: number, now: Now): OutboxOutput[] {
    const offsetMs = boundMs + 1 - now.wall;
    if (Math.abs(offsetMs) > CLOCK_MAX_MS) {
      return this.#close(submission, clockFailure(offsetMs));
    }
    // Within a second it is not the clock: the neighbour has just started, or minting took a while.
    this.#clockOffsetMs = Math.abs(offsetMs) < 1000 ? 0 : offsetMs;
    const message = "neighbours call our timestamps stale: check the clock";
    return this.#backOff(submission, { code: "E_CLOCK", message }, now);
  }

  #timeout({ phase, lastFailure, message }: Submission): Failure {
    if (phase.type === "awaiting-reply") {
      return { code: "E_TIMEOUT", message: "delivered, and no reply before the deadline" };
    }
    if (message.via === "channel" && phase.type === "opening") {
      return { code: "E_NO_CHANNEL", message: "no channel to the recipient could be opened in time; use via: any" };
    }
    return (
      lastFailure ?? { code: "E_TIMEOUT", message: "no receipt before the deadline; the recipient may be offline" }
    );
  }

  #backOff(submission: Submission, failure: Failure, now: Now): OutboxOutput[] {
    submission.lastFailure = failure;
    submission.phase = { type: "backing-off", untilMono: now.mono + backOffMs(submission.tries) };
    return [];
  }

  #close(submission: Submission, failure: Failure): OutboxOutput[] {
    return [...this.#forget(submission), { type: "failed", id: submission.message.id, ...failure }];
  }

  #forget(submission: Submission): OutboxOutput[] {
    const { phase, position, message, envelopeIds, messageId } = submission;
    this.#submissions.delete(message.id);
    this.#byMessage.delete(messageId);
    for (const id of envelopeIds) this.#byEnvelope.delete(id);
    position.settle();
    return phase.type === "minting" ? [{ type: "cancel-mint", job: phase.attempt.id }] : [];
  }
}
