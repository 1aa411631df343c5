import type { NodeId } from "@starling/crypto-identity";
import type { Now, Outcome } from "@starling/peer-manager";
import type { DirectResult, MessageBody } from "@starling/wire-protocol";
import { bytesToHex, MESSAGE_ID_BYTES } from "@starling/wire-protocol";
import { stamped } from "./attempt.ts";
import { attemptTimerMs, backOffMs, directTimerMs, RouteTimes, rungOf } from "./attempt-plan.ts";
import { Attempts } from "./attempts.ts";
import type { Came } from "./delivery.ts";
import { CHANNEL_FULL, CONGESTED, INBOX_FULL, NO_STAMP, NOT_A_NODE, noRoute, STALE, timeoutOf } from "./failures.ts";
import type { OutboxOptions, OutboxOutput } from "./outbox-output.ts";
import { outgoingRefusal } from "./outgoing-limits.ts";
import type { MessagePath, Receipt } from "./output.ts";
import { Streams } from "./streams.ts";
import {
  dueMono,
  type Failure,
  newSubmission,
  type OutgoingMessage,
  type Phase,
  type Submission,
  type Way,
} from "./submission.ts";
import { Submissions } from "./submissions.ts";

// The author's side of a message, PROTOCOL §7.7. Over a link to the recipient as a Direct; else sealed, minted and sent, and again
// with a new envelope around the same messageId, until the recipient acknowledges it or the deadline comes.
//
// A message that is 256 ahead of the oldest of its stream without an outcome waits first: the recipient keeps no order beyond that.
//
//   submit ─ a link to the recipient ─▶ direct ─ DirectAck ────────────────▶ receipt ─ a request ─▶ awaiting reply ─▶ answered
//      │                                  │ no answer, link lost                ▲
//      └─ none, or via relay ─▶ minting ◀─┘                                     │
//                                ▲  └─ minted ─▶ sent ─ SendAck opens the lock ─┘
//                                └─ backing off, or looking up ◀─┘ SendFail, or no ack within the attempt timer

/** Longest time that a message is tried. */
export const TIMEOUT_MAX_MS = 600_000;
/** A Lookup that found nobody by then is given up; the attempt goes another way. */
const LOOKUP_MS = 5000;
/** Anybody on a way can say that the recipient is a relay, or that our clock is wrong: it is believed when so many have. */
const BELIEVED = 2;
/** A link on which a Direct was not answered is not trusted with the next ones for this long. */
const SUSPECT_MS = 10_000;

const SINGLE: Way = { isPair: false, firstHop: undefined };
const PAIR: Way = { isPair: true, firstHop: undefined };

type ReceivedReply = {
  readonly from: NodeId;
  readonly requestId: string;
  readonly content: Uint8Array;
  readonly came: Came;
};

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #attempts: Attempts;
  readonly #streams: Streams;
  readonly #submissions = new Submissions();
  /** BOUNDED: peers with a link; gone when it ends or its peer answers, and all of them when no submission is open. */
  readonly #suspectUntilMono = new Map<NodeId, number>();
  readonly #routeTimes = new RouteTimes();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options);
    this.#streams = new Streams(options.random);
  }

  get openCount(): number {
    return this.#submissions.size;
  }

  /** Those under way, oldest first. */
  open(): readonly Submission[] {
    return this.#submissions.all();
  }

  submit(message: OutgoingMessage, now: Now): OutboxOutput[] {
    const { identity, random } = this.#options;
    const refusal = outgoingRefusal(message, {
      self: identity.id,
      clockOffsetMs: this.#options.clockOffsetMs(),
      openCount: this.#submissions.size,
      isOpen: this.#submissions.get(message.id) !== undefined,
    });
    if (refusal !== undefined) return [{ type: "failed", id: message.id, ...refusal }];
    const messageId = message.messageId ?? random(MESSAGE_ID_BYTES);
    if (message.messageId !== undefined && this.#submissions.ofMessage(bytesToHex(messageId)) !== undefined) {
      return [{ type: "failed", id: message.id, code: "E_DUPLICATE", message: "this message is under way already" }];
    }
    // Replies and signals are taken as they come: a number of theirs would leave a gap in the stream.
    const isOrdered = message.kind === "message" || message.kind === "request";
    const position = isOrdered ? this.#streams.next(message.to, message.topic) : this.#streams.single();
    const submission = newSubmission(message, messageId, position, now);
    this.#submissions.add(submission);
    return this.#begin(submission, now);
  }

  cancel(id: string): OutboxOutput[] {
    const submission = this.#submissions.get(id);
    if (submission === undefined) return [];
    return this.#close(submission, { code: "E_CANCELLED", message: "the program cancelled the message" });
  }

  minted(job: string, nonce: Uint8Array, now: Now): OutboxOutput[] {
    const submission = this.#submissions.ofEnvelope(job);
    if (submission?.phase.type !== "minting" || submission.phase.attempt.id !== job) return [];
    const { attempt, way } = submission.phase;
    stamped(attempt, nonce);
    const { to, via } = submission.message;
    const untilMono = now.mono + attemptTimerMs(this.#routeTimes.of(to), submission.tries);
    const sizeBytes = attempt.encodedEnvelope.length;
    submission.phase = { type: "sent", untilMono, way, sizeBytes };
    submission.sentMono.set(job, now.mono);
    const avoidRecipient = via === "relay" || submission.directFailed;
    const earlierIds = submission.envelopeIds.slice(0, -1);
    return [{ type: "originate", attempt, to, avoidRecipient, way, earlierIds }];
  }

  /** A node says that the target is attached to it: what waits for that is handed to it. */
  found(target: NodeId, peer: NodeId, now: Now): OutboxOutput[] {
    return this.#submissions.lookingUp(target).flatMap((submission) => {
      submission.handedTo.push(peer);
      return this.#try(submission, { isPair: false, firstHop: peer }, now);
    });
  }

  notFound(target: NodeId, now: Now): OutboxOutput[] {
    return this.#submissions.lookingUp(target).flatMap((submission) => this.#try(submission, PAIR, now));
  }

  mintFailed(job: string, now: Now): OutboxOutput[] {
    const submission = this.#submissions.ofEnvelope(job);
    if (submission?.phase.type !== "minting" || submission.phase.attempt.id !== job) return [];
    // Too dear is why, where it was asked for more.
    return this.#backOff(submission, submission.lastFailure === CONGESTED ? CONGESTED : NO_STAMP, now);
  }

  /** What became of one of our envelopes; that of an earlier attempt counts as well. */
  settled(envelopeId: string, outcome: Outcome, now: Now): OutboxOutput[] {
    const submission = this.#submissions.ofEnvelope(envelopeId);
    if (submission === undefined) return [];
    if (outcome.type === "acknowledged") {
      const { to } = submission.message;
      const sentMono = submission.sentMono.get(envelopeId);
      // The ack of an attempt that was given up counts too, or a way that is slower than its timer would never be known.
      if (sentMono !== undefined) this.#routeTimes.measured(to, now.mono - sentMono);
      const path = outcome.via === to ? (this.#options.linkTo(to)?.path ?? "session") : "relayed";
      return this.#delivered(submission, path, outcome.hops, now);
    }
    // A late SendFail of an attempt that has been given up says nothing of the one under way.
    if (submission.envelopeIds.at(-1) !== envelopeId || submission.phase.type !== "sent") return [];
    return this.#attemptFailed(submission, submission.phase, outcome, now);
  }

  /** The recipient answered a Direct on its own link. */
  directAnswered(
    peer: NodeId,
    path: "channel" | "session",
    messageId: string,
    result: DirectResult,
    now: Now,
  ): OutboxOutput[] {
    const submission = this.#submissions.ofMessage(messageId);
    if (submission?.message.to !== peer) return [];
    this.#suspectUntilMono.delete(peer);
    if (result === "ok") return this.#delivered(submission, path, 1, now);
    if (submission.phase.type !== "direct") return [];
    if (result === "no-inbox") return this.#close(submission, NOT_A_NODE);
    return this.#backOff(submission, INBOX_FULL, now);
  }

  /** No link took the Direct: it is sealed instead, or waits where only the channel will do. */
  directRefused(messageId: string, now: Now): OutboxOutput[] {
    const submission = this.#submissions.ofMessage(messageId);
    if (submission?.phase.type !== "direct") return [];
    if (submission.message.via === "channel") {
      // Handed over again at once it would be refused again at once, for ever: what is queued has to leave first.
      submission.channelTries += 1;
      return this.#backOff(submission, CHANNEL_FULL, now, submission.channelTries);
    }
    submission.directFailed = true;
    return this.#begin(submission, now);
  }

  /** A channel to this peer opened: what waits for it goes. */
  channelOpened(peer: NodeId, now: Now): OutboxOutput[] {
    this.#suspectUntilMono.delete(peer);
    return this.#submissions.all().flatMap((submission) => {
      const { phase, message } = submission;
      return phase.type === "opening" && message.to === peer ? this.#begin(submission, now) : [];
    });
  }

  /** A link to this peer is gone: Directs on it are sealed at once. */
  linkClosed(peer: NodeId, now: Now): OutboxOutput[] {
    this.#suspectUntilMono.delete(peer);
    return this.#submissions.all().flatMap((submission) => {
      const { phase, message } = submission;
      return phase.type === "direct" && message.to === peer ? this.#begin(submission, now) : [];
    });
  }

  /** A reply came; it counts from the one who was asked. */
  replied({ from, requestId, content, came }: ReceivedReply, now: Now): OutboxOutput[] {
    const submission = this.#submissions.ofMessage(requestId);
    if (submission?.message.kind !== "request" || submission.message.to !== from) return [];
    const { phase, message } = submission;
    // The reply may overtake the request's own ack; it proves as much, and the way that it came by is told.
    const receipt =
      phase.type === "awaiting-reply" ? phase.receipt : this.#receipt(submission, came.path, came.hops, now);
    return [...this.#forget(submission), { type: "answered", id: message.id, content, receipt }];
  }

  tick(now: Now): OutboxOutput[] {
    const outputs: OutboxOutput[] = [];
    for (const submission of this.#submissions.all()) {
      if (now.mono < dueMono(submission)) continue;
      const { phase, deadlineMono, message } = submission;
      if (now.mono >= deadlineMono) {
        outputs.push(...this.#close(submission, timeoutOf(submission)));
      } else if (phase.type === "direct") {
        this.#suspectUntilMono.set(message.to, now.mono + SUSPECT_MS);
        submission.directFailed = true;
        if (message.via === "channel") submission.channelTries += 1;
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
        submission.channelTries = 0;
        return [{ type: "want-channel", peer: to }];
      }
      return this.#direct(submission, link.rttMs, now);
    }
    const isSuspect = (this.#suspectUntilMono.get(to) ?? 0) > now.mono;
    if (link !== undefined && !isSuspect && !submission.directFailed) return this.#direct(submission, link.rttMs, now);
    if (isSuspect) submission.directFailed = true;
    switch (rungOf(submission.tries)) {
      case "single":
        return this.#try(submission, SINGLE, now);
      case "pair":
        return this.#try(submission, PAIR, now);
      case "lookup":
        if (submission.phase.type === "looking-up") return this.#try(submission, PAIR, now);
        submission.phase = { type: "looking-up", untilMono: now.mono + LOOKUP_MS };
        return [{ type: "find", target: to, excluded: submission.handedTo }];
    }
  }

  #direct(submission: Submission, rttMs: number | undefined, now: Now): OutboxOutput[] {
    // A channel loses nothing while it lives: one that is slow is not handed the same again and again (`via: channel`).
    const { messageId, message, channelTries } = submission;
    submission.phase = { type: "direct", untilMono: now.mono + directTimerMs(rttMs, channelTries) };
    const channelOnly = message.via === "channel";
    return [{ type: "send-direct", peer: message.to, messageId, body: this.#bodyNow(submission), channelOnly }];
  }

  /** An attempt of its own, by another way than those before. */
  #try(submission: Submission, way: Way, now: Now): OutboxOutput[] {
    submission.tries += 1;
    this.#attempts.bid(submission);
    return this.#seal(submission, way, now);
  }

  #seal(submission: Submission, way: Way, now: Now): OutboxOutput[] {
    const attempt = this.#attempts.seal(submission, this.#bodyNow(submission), now);
    if ("code" in attempt) return this.#close(submission, attempt);
    submission.phase = { type: "minting", attempt, way };
    this.#submissions.addEnvelope(submission, attempt.id);
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

  #attemptFailed(
    submission: Submission,
    sent: Phase & { type: "sent" },
    { reason, detail }: Outcome & { type: "failed" },
    now: Now,
  ): OutboxOutput[] {
    switch (reason) {
      case "no-inbox":
        submission.noInboxCount += 1;
        if (submission.noInboxCount >= BELIEVED) return this.#close(submission, NOT_A_NODE);
        return this.#backOff(submission, NOT_A_NODE, now);
      case "full":
        return this.#backOff(submission, INBOX_FULL, now);
      case "stale": {
        const failure = this.#attempts.followClock(detail, now);
        if (failure === undefined) return this.#backOff(submission, STALE, now);
        submission.wrongClockCount += 1;
        if (submission.wrongClockCount >= BELIEVED) return this.#close(submission, failure);
        return this.#backOff(submission, failure, now);
      }
      case "price":
      case "shed":
        // Who asks for nothing cannot be paid: it cannot take the message in for another reason.
        if (detail === 0) return this.#backOff(submission, CONGESTED, now);
        // The next bid goes the same way at once: the work that it takes is the wait.
        submission.lastFailure = CONGESTED;
        this.#attempts.outbid(submission, sent.sizeBytes, { told: detail, isShed: reason === "shed" });
        return this.#seal(submission, sent.way, now);
      default:
        // Where every other way is closed, the link to the recipient is tried again.
        submission.directFailed = false;
        return this.#backOff(submission, noRoute(reason), now);
    }
  }

  #backOff(submission: Submission, failure: Failure, now: Now, tries: number = submission.tries): OutboxOutput[] {
    submission.lastFailure = failure;
    submission.phase = { type: "backing-off", untilMono: now.mono + backOffMs(tries) };
    return [];
  }

  #close(submission: Submission, failure: Failure): OutboxOutput[] {
    return [...this.#forget(submission), { type: "failed", id: submission.message.id, ...failure }];
  }

  #forget(submission: Submission): OutboxOutput[] {
    const { phase, position } = submission;
    this.#submissions.delete(submission);
    position.settle();
    return phase.type === "minting" ? [{ type: "cancel-mint", job: phase.attempt.id }] : [];
  }
}
