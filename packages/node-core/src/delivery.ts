import type { Identity, NodeId } from "@starling/crypto-identity";
import { openBox, protocolPrologue } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { MessageBody, Send } from "@starling/wire-protocol";
import { bytesToHex, decodeSealedBody, lockOf } from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import { DeliveredSet } from "./delivered-set.ts";
import { earliest } from "./earliest.ts";
import { InboxAge } from "./inbox-age.ts";
import type { InboxEntry, MessagePath } from "./output.ts";
import { Sequencer } from "./sequencer.ts";
import { laneOf, TopicShare } from "./topic-share.ts";

// The recipient's side of a message, PROTOCOL §7.3 and §7.6: unseal, exactly once by (sender, messageId), write to the inbox, acknowledge
// when written, hand out in order when a program listens.
//
//   arrived ─ new ─▶ storing ─ written ─▶ in its stream ─ in order ─▶ waiting ─ a program listens ─▶ handed out
//      │                │         └─ stored ok ─▶ acknowledged          └─ not stored ─▶ unsynced: stored again when it comes again
//      │                └── not written ──▶ forgotten (no receipt; the author tries again)
//      └── known ─▶ acknowledged again, never delivered again
//
// Written means that it survives this process, stored that it survives the machine. Between the two a program may have it already,
// and its author has no receipt: only a power cut in that moment can bring it twice.
//
// Replies and signals are for this process alone: acknowledged at once, never written, and known as repeats by who takes them.

/** BOUNDED: what waits for a program, of one topic as much as is free (topic-share.ts); more is answered `full`. */
const INBOX_MAX_MESSAGES = 2000;
const INBOX_MAX_BYTES = 32 * 1024 * 1024;
/** How long a message waits for a program, unless told. */
export const INBOX_AGE_MS: number = 30 * 24 * 3_600_000;
/** Envelopes around one message that are acknowledged when it is stored: its author tries again while a disk is slow. */
const ANSWERS_MAX = 16;
/** How far ahead of our clock an author may date a message. */
const AHEAD_MS = 30_000;

/** How the author is answered: through the links an envelope came from (`via`, this copy), or on the link of a Direct. */
export type ReturnPath =
  | { readonly type: "send"; readonly via: NodeId; readonly id: string; readonly t: Uint8Array }
  | { readonly type: "direct"; readonly peer: NodeId; readonly messageId: Uint8Array };

/** How a body came: over what, and over how many links, as whoever handed it over says. */
export type Came = { readonly path: MessagePath; readonly hops: number };

/** What somebody sealed to our signalling. */
export type ReceivedSignal = {
  readonly from: NodeId;
  /** The other end of the link that it came over. */
  readonly via: NodeId;
  readonly createdMs: number;
  readonly content: Uint8Array;
};

export type DeliveryOutput =
  | { readonly type: "store"; readonly entry: InboxEntry }
  | { readonly type: "handed-out"; readonly key: string }
  | { readonly type: "discarded"; readonly key: string }
  | { readonly type: "deliver"; readonly message: InboxEntry }
  | { readonly type: "acknowledge"; readonly to: ReturnPath }
  | { readonly type: "refuse"; readonly to: ReturnPath; readonly reason: "full" | "shed" }
  /** For the request that is open under this id, if one is. */
  | {
      readonly type: "reply";
      readonly from: NodeId;
      readonly requestId: string;
      readonly content: Uint8Array;
      readonly came: Came;
    }
  | ({ readonly type: "signal" } & ReceivedSignal);

export type DeliveryOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly counters: Counters;
  /** What an earlier life of this node has written: entries not handed out yet, in their order. */
  readonly waiting: readonly InboxEntry[];
  /** How long a message waits for a program before it is dropped. */
  readonly inboxAgeMs: number;
  /** Keys it has acknowledged, with their `expiresMs`. */
  readonly delivered: readonly { readonly key: string; readonly expiresMs: number }[];
};

type Storing = {
  readonly entry: InboxEntry;
  /** Who is answered once it is stored. BOUNDED: one on the link of its author, ANSWERS_MAX by Sends; of these the latest. */
  readonly answers: ReturnPath[];
  isWritten: boolean;
};

export class Delivery {
  readonly #identity: Identity;
  readonly #prologue: Uint8Array;
  readonly #counters: Counters;
  readonly #delivered: DeliveredSet;
  readonly #sequencer = new Sequencer();
  // BOUNDED: together with what waits, in order or not, by the inbox limits.
  readonly #storing = new Map<string, Storing>();
  /** Entries that went on when they were written, and then could not be stored. BOUNDED: INBOX_MAX_MESSAGES. */
  readonly #unsynced = new Map<string, InboxEntry>();
  /** Entries written and not handed out; those in #ready may go. */
  #ready: InboxEntry[];
  readonly #age: InboxAge;
  readonly #held = new TopicShare({ messages: INBOX_MAX_MESSAGES, bytes: INBOX_MAX_BYTES });
  #unwrittenCount = 0;
  #listening = false;
  /** Lanes that programs take no more of now. */
  #except: ReadonlySet<string> = new Set();

  constructor(options: DeliveryOptions, now: Now) {
    this.#identity = options.identity;
    this.#prologue = envelopePrologue(options.network);
    this.#counters = options.counters;
    this.#delivered = new DeliveredSet(options.delivered, now);
    this.#ready = [...options.waiting];
    this.#age = new InboxAge(options.inboxAgeMs, now);
    for (const entry of this.#ready) this.#held.take(laneOf(entry), entry.content.length);
  }

  /** A Send for us that passed the ladder, over the link to `via`. Its author is unknown until it is unsealed, and may be anybody. */
  arrived(id: string, send: Send, via: NodeId, now: Now): DeliveryOutput[] {
    const opened = openBox({ identity: this.#identity, prologue: this.#prologue, box: send.envelope.sealedBody });
    if (opened === undefined) return this.#drop("unseal");
    const sealed = decodeSealedBody(opened.plaintext);
    if (!sealed.ok) return this.#drop(`body-${sealed.reason}`);
    const { t, body } = sealed.value;
    if (bytesToHex(lockOf(t)) !== bytesToHex(send.envelope.lock)) return this.#drop("lock");
    const came: Came = { path: "relayed", hops: send.hops + 1 };
    return this.#accept(opened.sender, body, came, { type: "send", via, id, t: t.slice() }, now);
  }

  /** A Direct from the neighbour at the other end of a link. */
  arrivedDirect(peer: NodeId, path: "channel" | "session", body: MessageBody, now: Now): DeliveryOutput[] {
    const to: ReturnPath = { type: "direct", peer, messageId: body.messageId.slice() };
    return this.#accept(peer, body, { path, hops: 1 }, to, now);
  }

  /** The entry of this key survives this process: it goes on to programs. */
  written(key: string, now: Now): DeliveryOutput[] {
    const storing = this.#storing.get(key);
    if (storing === undefined || storing.isWritten) return [];
    this.#goOn(storing, now);
    return this.#handOut();
  }

  /** The entry of this key survives the machine (or could not be stored): only now is it acknowledged. */
  stored(key: string, ok: boolean, now: Now): DeliveryOutput[] {
    const storing = this.#storing.get(key);
    if (storing === undefined) return [];
    this.#storing.delete(key);
    const { entry, answers, isWritten } = storing;
    if (!ok) {
      if (isWritten) this.#unsynced.set(key, entry);
      else {
        this.#unwrittenCount -= 1;
        this.#release(entry);
      }
      this.#counters.add("dropped.inbox-write-failed");
      return answers.map((to) => ({ type: "refuse", to, reason: "shed" }));
    }
    this.#delivered.add(key, entry.expiresMs, now);
    if (!isWritten) this.#goOn(storing, now);
    return [...answers.map((to): DeliveryOutput => ({ type: "acknowledge", to })), ...this.#handOut()];
  }

  /** Programs began or ceased to listen, or take no more of some lanes. */
  listening(on: boolean, except: readonly string[] = []): DeliveryOutput[] {
    this.#listening = on;
    this.#except = new Set(except);
    return this.#handOut();
  }

  tick(now: Now): DeliveryOutput[] {
    this.#delivered.purge(now);
    for (const [key, { expiresMs }] of this.#unsynced) if (now.wall > expiresMs) this.#unsynced.delete(key);
    this.#ready.push(...this.#sequencer.expire(now.mono));
    return [...this.#dropOld(now), ...this.#handOut()];
  }

  nextDeadline(): number | null {
    const age = this.#ready.length > 0 ? this.#age.dueMono : null;
    return earliest(this.#delivered.nextDeadline(), this.#sequencer.nextDeadline(), age);
  }

  get waitingCount(): number {
    return this.#held.messages - this.#unwrittenCount;
  }

  #accept(from: NodeId, body: MessageBody, came: Came, to: ReturnPath, now: Now): DeliveryOutput[] {
    if (body.expiresMs < now.wall) return this.#drop("expired");
    if (body.createdMs > now.wall + AHEAD_MS) return this.#drop("from-the-future");
    if (body.kind === "signal") {
      // Repeats go to signalling, which knows its Offers by their ephemeral key.
      const { createdMs, content } = body;
      return [
        { type: "acknowledge", to },
        { type: "signal", from, via: to.type === "send" ? to.via : to.peer, createdMs, content: content.slice() },
      ];
    }
    if (body.kind === "reply") {
      // No key is kept of it: the outbox takes the first that answers an open request, and anybody can send others.
      const requestId = bytesToHex(body.requestId);
      return [
        { type: "acknowledge", to },
        { type: "reply", from, requestId, content: body.content.slice(), came },
      ];
    }
    const key = `${from}:${bytesToHex(body.messageId)}`;
    if (this.#delivered.has(key)) return [{ type: "acknowledge", to }];
    const storing = this.#storing.get(key);
    if (storing !== undefined) {
      if (!owe(storing.answers, to)) this.#drop("message-repeat");
      return [];
    }
    const unsynced = this.#unsynced.get(key);
    if (unsynced !== undefined) {
      this.#unsynced.delete(key);
      this.#storing.set(key, { entry: unsynced, answers: [to], isWritten: true });
      return [{ type: "store", entry: unsynced }];
    }
    const hasRoomForKey = this.#delivered.hasRoom(key, this.#storing.size + this.#unsynced.size);
    const lane = laneOf({ kind: body.kind, topic: body.topic });
    const isFull =
      !this.#held.hasRoomFor(lane, body.content.length) || this.#unsynced.size >= INBOX_MAX_MESSAGES || !hasRoomForKey;
    if (isFull) return this.#refuseAsFull(to);
    const entry = inboxEntry(key, from, body, body.kind, came.path, now);
    this.#storing.set(key, { entry, answers: [to], isWritten: false });
    this.#unwrittenCount += 1;
    this.#held.take(lane, entry.content.length);
    return [{ type: "store", entry }];
  }

  #refuseAsFull(to: ReturnPath): DeliveryOutput[] {
    this.#counters.add("dropped.inbox-full");
    return [{ type: "refuse", to, reason: "full" }];
  }

  #dropOld(now: Now): DeliveryOutput[] {
    const dropped = new Set(this.#age.sweep(this.#ready, now));
    if (dropped.size === 0) return [];
    this.#ready = this.#ready.filter((entry) => !dropped.has(entry));
    return [...dropped].map((entry) => {
      this.#release(entry);
      this.#counters.add("dropped.inbox-age");
      return { type: "discarded", key: entry.key };
    });
  }

  #handOut(): DeliveryOutput[] {
    if (!this.#listening) return [];
    const outputs: DeliveryOutput[] = [];
    const ready = this.#ready;
    this.#ready = this.#except.size === 0 ? [] : ready.filter((entry) => this.#except.has(laneOf(entry)));
    for (const message of ready) {
      if (this.#except.has(laneOf(message))) continue;
      this.#release(message);
      outputs.push({ type: "handed-out", key: message.key }, { type: "deliver", message });
    }
    return outputs;
  }

  #goOn(storing: Storing, now: Now): void {
    const { entry } = storing;
    storing.isWritten = true;
    this.#unwrittenCount -= 1;
    this.#counters.add(`delivered.${entry.kind}`);
    this.#ready.push(...this.#sequencer.offer(entry, now));
  }

  #release(entry: InboxEntry): void {
    this.#held.release(laneOf(entry), entry.content.length);
  }

  #drop(reason: string): DeliveryOutput[] {
    this.#counters.add(`dropped.${reason}`);
    return [];
  }
}

/** Notes that this is to be answered too; false where one answer fewer is owed for it. */
function owe(answers: ReturnPath[], to: ReturnPath): boolean {
  const others = answers.filter(({ type }) => type === to.type);
  const max = to.type === "direct" ? 1 : ANSWERS_MAX;
  const [oldest] = others;
  const isTooMany = oldest !== undefined && others.length >= max;
  if (isTooMany) answers.splice(answers.indexOf(oldest), 1);
  answers.push(to);
  return !isTooMany;
}

/** The Noise X prologue of every sealed body (PROTOCOL §2.2). */
export function envelopePrologue(network: string): Uint8Array {
  return protocolPrologue(network, "envelope");
}

function inboxEntry(
  key: string,
  from: NodeId,
  body: MessageBody,
  kind: InboxEntry["kind"],
  path: MessagePath,
  now: Now,
): InboxEntry {
  const { messageId, topic, expiresMs, stream, seq, lowestUnsettledSeq } = body;
  return {
    key,
    kind,
    from,
    messageId: bytesToHex(messageId),
    topic,
    content: body.content.slice(),
    path,
    receivedAtMs: now.wall,
    expiresMs,
    stream: bytesToHex(stream),
    seq,
    lowestUnsettledSeq,
  };
}
