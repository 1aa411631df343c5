import type { Identity, NodeId, RandomSource } from "@starling/crypto-identity";
import type { Now, Outcome } from "@starling/peer-manager";
import type { MessageBody } from "@starling/wire-protocol";
import { bytesToHex, CONTENT_MAX_BYTES, MESSAGE_ID_BYTES, TOPIC_MAX_BYTES, WireError } from "@starling/wire-protocol";
import type { Attempt } from "./attempt.ts";
import { sealAttempt, stamped } from "./attempt.ts";
import { envelopePrologue } from "./delivery.ts";
import type { SubmitErrorCode } from "./errors.ts";
import type { Submit } from "./input.ts";
import type { MintRequest, Receipt } from "./output.ts";
import type { StreamPosition } from "./streams.ts";
import { Streams } from "./streams.ts";

// The author's side of a Send, PROTOCOL §5: seal, mint, send, and again with a new envelope around the same messageId until the
// recipient's ack opens a lock of ours or the deadline comes.
//
//   submit ─▶ minting ─ minted ─▶ sent ─ ack ─▶ receipt
//                ▲                 │
//                └── backing off ◀─┴ SendFail, or no ack within the attempt timer        any state ─ deadline ─▶ failed

// BOUNDED: open submissions; one more fails with E_QUOTA.
const SUBMISSIONS_MAX = 1024;
export const TIMEOUT_MAX_MS = 600_000;
/** No ack for this long, while the route's round trip is unknown. */
const ATTEMPT_UNKNOWN_MS = 1200;
const ATTEMPT_MIN_MS = 600;
const BACK_OFF_FIRST_MS = 200;
const BACK_OFF_MAX_MS = 5000;
/** A stamp is bid above the price told, and raised when it was shed all the same. */
const BID = 1.15;
const BID_RAISE = 1.6;
/** A price told to us is never followed above this per 512 bytes. */
const PRICE_CAP = 2 ** 22;
const CLOCK_MAX_MS = 120_000;

export type OutboxOutput =
  | MintRequest
  | { readonly type: "cancel-mint"; readonly job: string }
  | { readonly type: "originate"; readonly attempt: Attempt; readonly to: NodeId; readonly avoidRecipient: boolean }
  | { readonly type: "receipt"; readonly id: string; readonly receipt: Receipt }
  | { readonly type: "failed"; readonly id: string; readonly code: SubmitErrorCode; readonly message: string };

type Phase =
  | { readonly type: "minting"; readonly attempt: Attempt }
  | { readonly type: "sent"; readonly untilMono: number }
  | { readonly type: "backing-off"; readonly untilMono: number };

type Submission = {
  readonly submit: Submit;
  readonly body: Omit<MessageBody, "lowestUnsettledSeq">;
  readonly position: StreamPosition;
  readonly startedMono: number;
  readonly deadlineMono: number;
  readonly envelopeIds: string[];
  tries: number;
  bid: number;
  phase: Phase;
  lastFailure: Failure | undefined;
};

type Failure = { readonly code: SubmitErrorCode; readonly message: string };

export type OutboxOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly random: RandomSource;
  readonly floor: (sizeBytes: number) => number;
};

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #prologue: Uint8Array;
  readonly #streams: Streams;
  readonly #submissions = new Map<string, Submission>();
  // BOUNDED: the attempts of open submissions, as many as their deadlines allow.
  readonly #byEnvelope = new Map<string, Submission>();
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

  submit(submit: Submit, now: Now): OutboxOutput[] {
    const refusal = this.#refusal(submit);
    if (refusal !== undefined) return [{ type: "failed", id: submit.id, ...refusal }];
    const position = this.#streams.next(submit.to, submit.topic);
    const submission: Submission = {
      submit,
      body: {
        kind: "message",
        messageId: this.#options.random(MESSAGE_ID_BYTES),
        createdMs: now.wall,
        expiresMs: now.wall + submit.timeoutMs,
        stream: position.stream,
        seq: position.seq,
        requestId: new Uint8Array(MESSAGE_ID_BYTES),
        topic: submit.topic,
        content: submit.content,
      },
      position,
      startedMono: now.mono,
      deadlineMono: now.mono + submit.timeoutMs,
      envelopeIds: [],
      tries: 0,
      bid: BID,
      phase: { type: "backing-off", untilMono: now.mono },
      lastFailure: undefined,
    };
    this.#submissions.set(submit.id, submission);
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
    const { attempt } = submission.phase;
    stamped(attempt, nonce);
    submission.phase = { type: "sent", untilMono: now.mono + attemptTimerMs(submission.tries) };
    const { to, via } = submission.submit;
    return [{ type: "originate", attempt, to, avoidRecipient: via === "relay" }];
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
      const { id, to } = submission.submit;
      const receipt: Receipt = {
        messageId: bytesToHex(submission.body.messageId),
        path: outcome.via === to ? "session" : "relayed",
        hops: outcome.hops,
        elapsedMs: Math.round(now.mono - submission.startedMono),
      };
      return [...this.#forget(submission), { type: "receipt", id, receipt }];
    }
    // A late SendFail of an attempt that has been given up says nothing of the one under way.
    if (submission.envelopeIds.at(-1) !== envelopeId || submission.phase.type !== "sent") return [];
    return this.#attemptFailed(submission, outcome, now);
  }

  tick(now: Now): OutboxOutput[] {
    const outputs: OutboxOutput[] = [];
    for (const submission of [...this.#submissions.values()]) {
      const { phase, deadlineMono, lastFailure } = submission;
      if (now.mono >= deadlineMono) {
        const timeout: Failure = {
          code: "E_TIMEOUT",
          message: "no receipt before the deadline; the recipient may be offline",
        };
        outputs.push(...this.#close(submission, lastFailure ?? timeout));
      } else if (phase.type !== "minting" && now.mono >= phase.untilMono) {
        outputs.push(...this.#begin(submission, now));
      }
    }
    return outputs;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { phase, deadlineMono } of this.#submissions.values()) {
      next = Math.min(next, deadlineMono, phase.type === "minting" ? deadlineMono : phase.untilMono);
    }
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #refusal(submit: Submit): Failure | undefined {
    const { identity } = this.#options;
    const topicBytes = new TextEncoder().encode(submit.topic).length;
    if (this.#submissions.has(submit.id)) return { code: "E_DUPLICATE", message: "a submission with this id is open" };
    if (submit.to === identity.id) return { code: "E_BAD_ID", message: "a node does not send to itself" };
    if (submit.via === "channel") {
      return { code: "E_NOT_SUPPORTED", message: "this version opens no channels; use via: any or via: relay" };
    }
    if (submit.content.length > CONTENT_MAX_BYTES) {
      const message = `content has at most ${CONTENT_MAX_BYTES} bytes, got ${submit.content.length}; send it in parts`;
      return { code: "E_TOO_LARGE", message };
    }
    if (topicBytes > TOPIC_MAX_BYTES) {
      return { code: "E_TOO_LARGE", message: `a topic has at most ${TOPIC_MAX_BYTES} bytes, got ${topicBytes}` };
    }
    if (this.#submissions.size >= SUBMISSIONS_MAX) {
      return { code: "E_QUOTA", message: `${SUBMISSIONS_MAX} messages are under way; wait for receipts` };
    }
    return undefined;
  }

  #begin(submission: Submission, now: Now): OutboxOutput[] {
    const { submit, body, bid } = submission;
    submission.tries += 1;
    let attempt: Attempt;
    try {
      attempt = sealAttempt({
        ...this.#options,
        prologue: this.#prologue,
        recipient: submit.to,
        body: { ...body, lowestUnsettledSeq: this.#streams.lowestUnsettled(submit.to, submit.topic, body.seq) },
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
    submission.phase = { type: "minting", attempt };
    submission.envelopeIds.push(attempt.id);
    this.#byEnvelope.set(attempt.id, submission);
    const { digest, effort, startNonce, id } = attempt;
    return [{ type: "mint", job: id, digest, effort, startNonce, deadlineMs: submission.deadlineMono - now.mono }];
  }

  #attemptFailed(submission: Submission, outcome: Outcome & { type: "failed" }, now: Now): OutboxOutput[] {
    switch (outcome.reason) {
      case "no-inbox":
        return this.#close(submission, { code: "E_NOT_A_NODE", message: "this id is a relay's: it has no inbox" });
      case "full":
        return this.#backOff(submission, { code: "E_INBOX_FULL", message: "the recipient's inbox is full" }, now);
      case "stale":
        return this.#stale(submission, outcome.detail, now);
      case "price":
      case "shed":
        submission.bid *= BID_RAISE;
        return this.#backOff(submission, { code: "E_QUOTA", message: "the neighbours are shedding load" }, now);
      default: {
        const message = `no way to the recipient is known (${outcome.reason}); it may be offline or on another network`;
        return this.#backOff(submission, { code: "E_NO_ROUTE", message }, now);
      }
    }
  }

  /** A neighbour called our timestamp stale and told its own bound (untrusted, so followed within ± 120 s only). */
  #stale(submission: Submission, boundMs: number, now: Now): OutboxOutput[] {
    const offsetMs = boundMs + 1 - now.wall;
    if (Math.abs(offsetMs) > CLOCK_MAX_MS) {
      const message = `this machine's clock is off by about ${Math.round(offsetMs / 1000)} s: set it (a neighbour refuses our stamps)`;
      return this.#close(submission, { code: "E_CLOCK", message });
    }
    // Within a second it is not the clock: the neighbour has just started, or minting took a while.
    this.#clockOffsetMs = Math.abs(offsetMs) < 1000 ? 0 : offsetMs;
    return this.#backOff(
      submission,
      { code: "E_CLOCK", message: "neighbours call our timestamps stale: check the clock" },
      now,
    );
  }

  #backOff(submission: Submission, failure: Failure, now: Now): OutboxOutput[] {
    submission.lastFailure = failure;
    const waitMs = Math.min(BACK_OFF_FIRST_MS * 2 ** Math.max(0, submission.tries - 1), BACK_OFF_MAX_MS);
    submission.phase = { type: "backing-off", untilMono: now.mono + waitMs };
    return [];
  }

  #close(submission: Submission, failure: Failure): OutboxOutput[] {
    return [...this.#forget(submission), { type: "failed", id: submission.submit.id, ...failure }];
  }

  #forget(submission: Submission): OutboxOutput[] {
    const { phase, position, submit, envelopeIds } = submission;
    this.#submissions.delete(submit.id);
    for (const id of envelopeIds) this.#byEnvelope.delete(id);
    position.settle();
    return phase.type === "minting" ? [{ type: "cancel-mint", job: phase.attempt.id }] : [];
  }
}

/** 1.2 s, later more: a route that does not answer is not hammered. */
function attemptTimerMs(tries: number): number {
  return Math.min(Math.max(ATTEMPT_MIN_MS, ATTEMPT_UNKNOWN_MS * 1.5 ** (tries - 1)), BACK_OFF_MAX_MS);
}
