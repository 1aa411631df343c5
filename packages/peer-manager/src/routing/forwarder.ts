import type { NodeId } from "@starling/crypto-identity";
import type { Frame, Send, SendAck, SendFail, SendFailReason } from "@starling/wire-protocol";
import { encodeMessage, encodeSend, FRAME_KIND, HOP_LIMIT, lockOf } from "@starling/wire-protocol";
import { AbsentCache } from "./absent-cache.ts";
import type { Links } from "./links.ts";
import type { NextHop } from "./next-hop.ts";
import { nextHop } from "./next-hop.ts";
import type { PendingEnvelope } from "./pending-table.ts";
import { PendingTable } from "./pending-table.ts";
import { RouteTable } from "./route-table.ts";

// Carries envelopes hop by hop and their acks back, PROTOCOL §5. The author's own envelopes and those that end here pass through
// the same table as those carried for others, so one set of rules answers repeats, loops and acks.
//
//            accept / originate            SendAck opens the lock
//   (none) ──────────────────▶ waiting ──────────────────────────▶ acknowledged ──▶ expired (30 s)
//                                │ ▲                                     ▲
//          SendFail, no hop ack  │ │ next out-link (<= 3, within 3 s)    │ a late ack still counts
//                                ▼ │                                     │
//                               trying ── none left ──▶ failed ──────────┘

const OUT_LINKS_MAX = 3;
const IN_LINKS_MAX = 4;
const TRY_FOR_MS = 3000;

export type ForwarderOutput =
  | {
      readonly type: "send";
      readonly peer: NodeId;
      readonly frame: Frame;
      /** On a Send: handed back by `undelivered` where the neighbour did not acknowledge the frame. */
      readonly token: number | undefined;
      /** A Send that we are the author of, not one carried for others. */
      readonly own: boolean;
    }
  | { readonly type: "settled"; readonly id: string; readonly outcome: Outcome }
  | { readonly type: "dropped"; readonly reason: string };

/** What became of an envelope of our own. */
export type Outcome =
  | { readonly type: "acknowledged"; readonly hops: number; readonly via: NodeId }
  | { readonly type: "failed"; readonly reason: SendFailReason; readonly detail: number };

export type Origination = {
  readonly id: string;
  readonly lock: Uint8Array;
  readonly recipient: NodeId;
  readonly encodedEnvelope: Uint8Array;
  /** `via: relay`: do not use our own link to the recipient. */
  readonly avoidRecipient: boolean;
};

export class Forwarder {
  readonly #self: NodeId;
  readonly #links: Links;
  readonly #pending = new PendingTable();
  readonly #routes = new RouteTable();
  readonly #absent = new AbsentCache();
  // BOUNDED: one token for each Send in flight, at most OUT_LINKS_MAX an entry of the pending table.
  readonly #tokens = new Map<number, { readonly id: string; readonly peer: NodeId }>();
  #nextToken = 1;

  constructor(self: NodeId, links: Links) {
    this.#self = self;
    this.#links = links;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  isPending(id: string): boolean {
    return this.#pending.byId(id) !== undefined;
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#pending.hasRoomFor(sizeBytes);
  }

  /** An envelope of our own. */
  originate(origination: Origination, nowMono: number): ForwarderOutput[] {
    const { id, recipient, encodedEnvelope, avoidRecipient } = origination;
    const entry = newEntry({
      id,
      lock: origination.lock,
      recipient,
      encodedEnvelope,
      avoidRecipient,
      source: true,
      nowMono,
    });
    this.#pending.add(entry);
    return this.#tryNext(entry, { reason: "no-route", detail: 0 }, nowMono);
  }

  /** An envelope for somebody else that has passed the ladder and was entered into the SeenFilter. */
  forward(from: NodeId, id: string, send: Send, nowMono: number): ForwarderOutput[] {
    const entry = this.#enter(from, id, send, nowMono);
    if (this.#absent.has(send.envelope.recipient, nowMono) && !this.#links.has(send.envelope.recipient)) {
      return this.#fail(entry, { reason: "absent", detail: 0 });
    }
    return this.#tryNext(entry, { reason: "absent", detail: 0 }, nowMono);
  }

  /** An envelope for this node: kept so that repeats are answered; `delivered` or `refused` says how it ended. */
  keep(from: NodeId, id: string, send: Send, nowMono: number): void {
    this.#enter(from, id, send, nowMono);
  }

  /** The envelope kept under this id has reached its end here: everybody it came from is told. */
  delivered(id: string, t: Uint8Array): ForwarderOutput[] {
    const entry = this.#pending.byId(id);
    if (entry === undefined || entry.t !== undefined) return [];
    entry.t = t;
    entry.ackHops = Math.min(entry.hops, HOP_LIMIT);
    return entry.inLinks.map((peer) => ackTo(peer, entry, t));
  }

  refused(id: string, reason: SendFailReason, t?: Uint8Array): ForwarderOutput[] {
    const entry = this.#pending.byId(id);
    return entry === undefined ? [] : this.#fail(entry, { reason, detail: 0, t });
  }

  /** The same envelope again, from whichever link. */
  repeated(from: NodeId, id: string): ForwarderOutput[] {
    const entry = this.#pending.byId(id);
    if (entry === undefined) return [];
    if (entry.outLinks.includes(from)) return [failTo(from, entry.lock, { reason: "loop", detail: 0 })];
    if (!entry.inLinks.includes(from)) {
      if (entry.inLinks.length >= IN_LINKS_MAX) return [{ type: "dropped", reason: "send-in-links" }];
      entry.inLinks.push(from);
    }
    if (entry.t !== undefined) return [ackTo(from, entry, entry.t)];
    return [{ type: "dropped", reason: "send-repeat" }];
  }

  /** A neighbour reveals t. It counts once, from a link that the Send went out on, if it opens the lock. */
  acknowledged(from: NodeId, ack: SendAck, nowMono: number): ForwarderOutput[] {
    const entry = this.#pending.byLock(lockOf(ack.t));
    if (entry === undefined) return [{ type: "dropped", reason: "ack-unknown" }];
    if (!entry.outLinks.includes(from)) return [{ type: "dropped", reason: "ack-wrong-link" }];
    if (entry.t !== undefined) return [{ type: "dropped", reason: "ack-repeat" }];
    entry.t = ack.t.slice();
    entry.ackHops = ack.hops;
    entry.waiting.clear();
    this.#routes.learn(entry.recipient, from, nowMono);
    const outputs: ForwarderOutput[] = entry.inLinks.map((peer) => ackTo(peer, entry, ack.t));
    if (entry.source) {
      outputs.push({ type: "settled", id: entry.id, outcome: { type: "acknowledged", hops: ack.hops, via: from } });
    }
    return outputs;
  }

  /** A neighbour gives an envelope back. */
  failed(from: NodeId, fail: SendFail, nowMono: number): ForwarderOutput[] {
    const entry = this.#pending.byLock(fail.lock);
    if (entry === undefined) return [{ type: "dropped", reason: "fail-unknown" }];
    if (!entry.waiting.delete(from)) return [{ type: "dropped", reason: "fail-wrong-link" }];
    this.#routes.forget(entry.recipient, from);
    if (fail.reason === "full" && (fail.t === undefined || this.#pending.byLock(lockOf(fail.t)) !== entry)) {
      return [
        { type: "dropped", reason: "fail-forged" },
        ...this.#tryNext(entry, { reason: "no-route", detail: 0 }, nowMono),
      ];
    }
    if (fail.reason === "absent") this.#absent.add(entry.recipient, nowMono);
    // What the recipient itself says, and what every further node would say too, goes straight back to the author.
    const final: readonly SendFailReason[] = ["absent", "no-inbox", "full", "stale", "bad-stamp", "hop-limit"];
    if (final.includes(fail.reason)) return this.#fail(entry, fail);
    return this.#tryNext(entry, fail, nowMono);
  }

  /** The neighbour's session took the frame in. */
  handedOver(token: number): void {
    this.#tokens.delete(token);
  }

  /** The neighbour's session did not take the frame in: the next out-link is tried. */
  undelivered(token: number, nowMono: number): ForwarderOutput[] {
    const sent = this.#tokens.get(token);
    this.#tokens.delete(token);
    const entry = sent === undefined ? undefined : this.#pending.byId(sent.id);
    if (sent === undefined || entry === undefined || !entry.waiting.delete(sent.peer)) return [];
    this.#routes.forget(entry.recipient, sent.peer);
    return this.#tryNext(entry, { reason: "no-route", detail: 0 }, nowMono);
  }

  tick(nowMono: number): void {
    this.#pending.expire(nowMono);
    if (this.#pending.size === 0) this.#tokens.clear();
  }

  nextDeadline(): number | null {
    return this.#pending.nextDeadline();
  }

  #enter(from: NodeId, id: string, send: Send, nowMono: number): PendingEnvelope {
    const { envelope, last, nonImproving } = send;
    const entry: PendingEnvelope = {
      ...newEntry({
        id,
        lock: envelope.lock.slice(),
        recipient: envelope.recipient,
        // A copy: the decoded envelope is a view into a datagram's buffer.
        encodedEnvelope: send.encodedEnvelope.slice(),
        avoidRecipient: false,
        source: false,
        nowMono,
      }),
      hops: send.hops + 1,
      last,
      nonImproving,
    };
    entry.inLinks.push(from);
    this.#pending.add(entry);
    return entry;
  }

  #tryNext(entry: PendingEnvelope, failure: Failure, nowMono: number): ForwarderOutput[] {
    if (entry.t !== undefined || entry.failed || entry.waiting.size > 0) return [];
    const outOfTries = entry.outLinks.length >= OUT_LINKS_MAX || nowMono > entry.startedMono + TRY_FOR_MS;
    const hop = outOfTries ? undefined : this.#nextHop(entry, nowMono);
    if (hop === undefined) return this.#fail(entry, failure);
    // An own link to the recipient is used whatever the hop count (PROTOCOL §5).
    if (entry.hops > HOP_LIMIT && hop.peer !== entry.recipient)
      return this.#fail(entry, { reason: "hop-limit", detail: 0 });
    entry.outLinks.push(hop.peer);
    entry.waiting.add(hop.peer);
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#tokens.set(token, { id: entry.id, peer: hop.peer });
    return [{ type: "send", peer: hop.peer, frame: sendFrame(entry, hop), token, own: entry.source }];
  }

  #nextHop(entry: PendingEnvelope, nowMono: number): NextHop | undefined {
    return nextHop({
      self: this.#self,
      recipient: entry.recipient,
      links: this.#links,
      isSelfReachable: this.#links.isSelfReachable(nowMono),
      learned: this.#routes.via(entry.recipient, nowMono),
      excluded: new Set([...entry.inLinks, ...entry.outLinks]),
      source: entry.source,
      avoidRecipient: entry.avoidRecipient,
      last: entry.last,
      nonImproving: entry.nonImproving,
    });
  }

  #fail(entry: PendingEnvelope, failure: Failure): ForwarderOutput[] {
    if (entry.failed || entry.t !== undefined) return [];
    entry.failed = true;
    if (entry.source) {
      const { reason, detail } = failure;
      return [{ type: "settled", id: entry.id, outcome: { type: "failed", reason, detail } }];
    }
    return entry.inLinks.map((peer) => failTo(peer, entry.lock, failure));
  }
}

type Failure = { readonly reason: SendFailReason; readonly detail: number; readonly t?: Uint8Array | undefined };

function newEntry(parts: {
  readonly id: string;
  readonly lock: Uint8Array;
  readonly recipient: NodeId;
  readonly encodedEnvelope: Uint8Array;
  readonly avoidRecipient: boolean;
  readonly source: boolean;
  readonly nowMono: number;
}): PendingEnvelope {
  const { nowMono, ...rest } = parts;
  return {
    ...rest,
    hops: 0,
    last: false,
    nonImproving: 0,
    startedMono: nowMono,
    inLinks: [],
    outLinks: [],
    waiting: new Set(),
    t: undefined,
    ackHops: 0,
    failed: false,
  };
}

function sendFrame(entry: PendingEnvelope, hop: NextHop): Frame {
  const { encodedEnvelope } = entry;
  const { last, nonImproving } = hop;
  const hops = Math.min(entry.hops, HOP_LIMIT);
  return { kind: FRAME_KIND.send, body: encodeSend({ hops, last, nonImproving, encodedEnvelope }) };
}

function ackTo(peer: NodeId, entry: PendingEnvelope, t: Uint8Array): ForwarderOutput {
  return {
    type: "send",
    peer,
    frame: encodeMessage({ type: "send-ack", t, hops: entry.ackHops }),
    token: undefined,
    own: false,
  };
}

/** Tells a neighbour that an envelope it handed over goes no further. */
function failTo(peer: NodeId, lock: Uint8Array, failure: Failure): ForwarderOutput {
  const frame = encodeMessage({
    type: "send-fail",
    lock,
    reason: failure.reason,
    detail: failure.detail,
    t: failure.reason === "full" ? failure.t : undefined,
  });
  return { type: "send", peer, frame, token: undefined, own: false };
}
