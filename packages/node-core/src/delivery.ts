import type { Identity, NodeId } from "@starling/crypto-identity";
import { openBox, protocolPrologue } from "@starling/crypto-identity";
import type { Now } from "@starling/peer-manager";
import type { MessageBody, Send, SendFailReason } from "@starling/wire-protocol";
import { bytesToHex, decodeSealedBody, lockOf } from "@starling/wire-protocol";
import type { Counters } from "./counters.ts";
import { DeliveredSet } from "./delivered-set.ts";
import type { InboxEntry } from "./output.ts";

// The recipient's side of a Send, PROTOCOL §5: unseal, exactly once by (sender, messageId), write to the inbox, acknowledge when
// written, hand out when a program listens.
//
//   arrived ─ unseals, new ─▶ storing ─ stored ok ─▶ waiting in the inbox ─ a program listens ─▶ handed out
//      │                         └── not written ──▶ forgotten (no receipt; the author tries again)
//      └── known ─▶ acknowledged again, never delivered again

/** BOUNDED: what waits for a program; more is answered SendFail{full}. */
const INBOX_MAX_MESSAGES = 1000;
const INBOX_MAX_BYTES = 16 * 1024 * 1024;
/** How far ahead of our clock an author may date a message. */
const AHEAD_MS = 30_000;

export type DeliveryOutput =
  | { readonly type: "store"; readonly entry: InboxEntry }
  | { readonly type: "handed-out"; readonly key: string }
  | { readonly type: "deliver"; readonly message: InboxEntry }
  | { readonly type: "acknowledge"; readonly id: string; readonly t: Uint8Array }
  | {
      readonly type: "refuse";
      readonly id: string;
      readonly reason: SendFailReason;
      readonly t: Uint8Array | undefined;
    };

export type DeliveryOptions = {
  readonly identity: Identity;
  readonly network: string;
  readonly counters: Counters;
  /** What an earlier life of this node has written: entries not handed out yet, in their order. */
  readonly waiting: readonly InboxEntry[];
  /** Keys it has acknowledged, with their `expiresMs`. */
  readonly delivered: readonly { readonly key: string; readonly expiresMs: number }[];
};

type Storing = { readonly entry: InboxEntry; readonly answers: { readonly id: string; readonly t: Uint8Array }[] };

export class Delivery {
  readonly #identity: Identity;
  readonly #prologue: Uint8Array;
  readonly #counters: Counters;
  readonly #delivered: DeliveredSet;
  // BOUNDED: together with #waiting by the inbox limits.
  readonly #storing = new Map<string, Storing>();
  readonly #waiting: InboxEntry[];
  #heldBytes: number;
  #listening = false;

  constructor(options: DeliveryOptions, now: Now) {
    this.#identity = options.identity;
    this.#prologue = envelopePrologue(options.network);
    this.#counters = options.counters;
    this.#delivered = new DeliveredSet(options.delivered, now);
    this.#waiting = [...options.waiting];
    this.#heldBytes = this.#waiting.reduce((sum, entry) => sum + entry.content.length, 0);
  }

  /** A Send for us that passed the ladder. Its author is unknown until it is unsealed, and may be anybody. */
  arrived(id: string, send: Send, now: Now): DeliveryOutput[] {
    const opened = openBox({ identity: this.#identity, prologue: this.#prologue, box: send.envelope.sealedBody });
    if (opened === undefined) return this.#drop("unseal");
    const sealed = decodeSealedBody(opened.plaintext);
    if (!sealed.ok) return this.#drop(`body-${sealed.reason}`);
    const { t, body } = sealed.value;
    const { messageId, expiresMs, createdMs, kind } = body;
    if (bytesToHex(lockOf(t)) !== bytesToHex(send.envelope.lock)) return this.#drop("lock");
    if (expiresMs < now.wall) return this.#drop("expired");
    if (createdMs > now.wall + AHEAD_MS) return this.#drop("from-the-future");
    if (kind !== "message") return this.#drop("kind-not-supported");

    const key = `${opened.sender}:${bytesToHex(messageId)}`;
    if (this.#delivered.has(key)) return [{ type: "acknowledge", id, t: t.slice() }];
    const storing = this.#storing.get(key);
    if (storing !== undefined) {
      storing.answers.push({ id, t: t.slice() });
      return [];
    }
    const full =
      this.#storing.size + this.#waiting.length >= INBOX_MAX_MESSAGES ||
      this.#heldBytes + body.content.length > INBOX_MAX_BYTES ||
      !this.#delivered.hasRoom(this.#storing.size);
    if (full) {
      this.#counters.add("dropped.inbox-full");
      return [{ type: "refuse", id, reason: "full", t: t.slice() }];
    }
    const entry = inboxEntry(key, opened.sender, body, now);
    this.#storing.set(key, { entry, answers: [{ id, t: t.slice() }] });
    this.#heldBytes += entry.content.length;
    return [{ type: "store", entry }];
  }

  /** The entry of this key is written (or could not be): only now is it acknowledged. */
  stored(key: string, ok: boolean, now: Now): DeliveryOutput[] {
    const storing = this.#storing.get(key);
    if (storing === undefined) return [];
    this.#storing.delete(key);
    if (!ok) {
      this.#heldBytes -= storing.entry.content.length;
      this.#counters.add("dropped.inbox-write-failed");
      return storing.answers.map(({ id }) => ({ type: "refuse", id, reason: "shed", t: undefined }));
    }
    this.#delivered.add(key, storing.entry.expiresMs, now);
    this.#counters.add("delivered.message");
    this.#waiting.push(storing.entry);
    return [
      ...storing.answers.map(({ id, t }): DeliveryOutput => ({ type: "acknowledge", id, t })),
      ...this.#handOut(),
    ];
  }

  /** A program began or ceased to listen. */
  listening(on: boolean): DeliveryOutput[] {
    this.#listening = on;
    return this.#handOut();
  }

  tick(now: Now): void {
    this.#delivered.purge(now);
  }

  nextDeadline(): number | null {
    return this.#delivered.nextDeadline();
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  #handOut(): DeliveryOutput[] {
    if (!this.#listening) return [];
    const outputs: DeliveryOutput[] = [];
    for (const message of this.#waiting.splice(0)) {
      this.#heldBytes -= message.content.length;
      outputs.push({ type: "handed-out", key: message.key }, { type: "deliver", message });
    }
    return outputs;
  }

  #drop(reason: string): DeliveryOutput[] {
    this.#counters.add(`dropped.${reason}`);
    return [];
  }
}

/** The Noise X prologue of every sealed body (PROTOCOL §1). */
export function envelopePrologue(network: string): Uint8Array {
  return protocolPrologue(network, "envelope");
}

function inboxEntry(key: string, from: NodeId, body: MessageBody, now: Now): InboxEntry {
  return {
    key,
    from,
    messageId: bytesToHex(body.messageId),
    topic: body.topic,
    content: body.content.slice(),
    path: "relayed",
    receivedAtMs: now.wall,
    expiresMs: body.expiresMs,
  };
}
