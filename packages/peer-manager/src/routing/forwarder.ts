import type { NodeId } from "@starling/crypto-identity";
import type { Send, SendAck, SendFail, SendFailReason } from "@starling/wire-protocol";
import { HOP_LIMIT, lockOf } from "@starling/wire-protocol";
import { AbsentCache } from "./absent-cache.ts";
import { AckWatch } from "./ack-watch.ts";
import { ackTo, type Failure, failTo, type SendTo, sendFrame } from "./answers.ts";
import type { Links } from "./links.ts";
import { NeighbourScores } from "./neighbour-scores.ts";
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
/** An ack that has not come by then counts as missing. */
const ACK_MS = 3000;
/** A neighbour that has not even taken the frame in by then, nor acknowledged anything, gets company: the next out-link. */
const HOP_MS = 500;
/** The second first hop of a pair follows where the first has brought no ack by then: mostly it has, and half the cost is saved. */
const SECOND_MS = 800;
const NO_ROUTE: Failure = { reason: "no-route", detail: 0 };
/** What the recipient itself says, and what every further node would say too: it goes straight back to the author. */
const FINAL: readonly SendFailReason[] = ["no-inbox", "full", "stale", "bad-stamp", "hop-limit"];
const NONE: ReadonlySet<NodeId> = new Set();

export type ForwarderOutput =
  | SendTo
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
  /** Earlier envelopes of the same message: their first hops are taken last. */
  readonly earlierIds?: readonly string[];
  /** A second first hop follows the first before long, whatever becomes of it. */
  readonly isPair?: boolean;
  /** The first hop, where it has a link: somebody who said that the recipient is attached to it. */
  readonly firstHop?: NodeId | undefined;
};

export class Forwarder {
  readonly #self: NodeId;
  readonly #links: Links;
  readonly #pending: PendingTable;
  readonly #routes = new RouteTable();
  readonly #absent = new AbsentCache();
  readonly #scores = new NeighbourScores();
  readonly #acks = new AckWatch(ACK_MS);
  readonly #hops = new AckWatch(HOP_MS);
  readonly #seconds = new AckWatch(SECOND_MS);
  // BOUNDED: one token for each Send in flight, at most OUT_LINKS_MAX an entry of the pending table.
  readonly #tokens = new Map<number, { readonly id: string; readonly peer: NodeId }>();
  #nextToken = 1;

  /** `pendingMax`: envelopes under way at once. */
  constructor(self: NodeId, links: Links, pendingMax?: number) {
    this.#pending = new PendingTable(pendingMax);
    this.#self = self;
    this.#links = links;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  get openCount(): number {
    return this.#pending.openCount;
  }

  isPending(id: string): boolean {
    return this.#pending.byId(id) !== undefined;
  }

  /** Whether one more envelope of this size may come over a link. */
  hasRoomFor(from: NodeId, sizeBytes: number): boolean {
    return this.#pending.hasRoomFor(from, sizeBytes);
  }

  /** 0 to 1: how much of what it took this neighbour has delivered lately. */
  scoreOf(peer: NodeId, nowMono: number): number {
    return this.#scores.of(peer, nowMono);
  }

  /** An envelope of our own. */
  originate(origination: Origination, nowMono: number): ForwarderOutput[] {
    const {
      id,
      lock,
      recipient,
      encodedEnvelope,
      avoidRecipient,
      earlierIds = [],
      isPair = false,
      firstHop,
    } = origination;
    const used = new Set<NodeId>();
    for (const earlier of earlierIds.flatMap((other) => this.#pending.byId(other) ?? [])) {
      // This attempt takes over: the earlier ones may still be answered, and are sent to nobody else.
      earlier.isSuperseded = true;
      for (const { peer } of earlier.outLinks) used.add(peer);
    }
    const entry = newEntry({
      ...{ id, lock, recipient, encodedEnvelope, avoidRecipient, used, nowMono },
      source: true,
    });
    this.#pending.add(entry);
    if (firstHop !== undefined && this.#links.has(firstHop)) {
      return [this.#sendOn(entry, { peer: firstHop, last: false, nonImproving: 0, learned: false }, nowMono)];
    }
    const outputs = this.#tryNext(entry, NO_ROUTE, nowMono);
    const [first] = entry.outLinks;
    if (isPair && first !== undefined) this.#seconds.add(id, first.peer, 0, nowMono);
    return outputs;
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
    this.#pending.settle(entry);
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
    if (linkTo(entry, from) !== undefined) return [failTo(from, entry.lock, { reason: "loop", detail: 0 })];
    if (!entry.inLinks.includes(from)) {
      if (entry.inLinks.length >= IN_LINKS_MAX) return [{ type: "dropped", reason: "send-in-links" }];
      entry.inLinks.push(from);
    }
    if (entry.t !== undefined) return [ackTo(from, entry, entry.t)];
    // It has failed here already: who hands it over now need not wait for what does not come.
    if (entry.failure !== undefined) return [failTo(from, entry.lock, entry.failure)];
    return [{ type: "dropped", reason: "send-repeat" }];
  }

  /** A neighbour reveals t. It counts once, from a link that the Send went out on, if it opens the lock. */
  acknowledged(from: NodeId, ack: SendAck, nowMono: number): ForwarderOutput[] {
    const entry = this.#pending.byLock(lockOf(ack.t));
    if (entry === undefined) return [{ type: "dropped", reason: "ack-unknown" }];
    const link = linkTo(entry, from);
    if (link === undefined) return [{ type: "dropped", reason: "ack-wrong-link" }];
    if (link.acked) return [{ type: "dropped", reason: "ack-repeat" }];
    link.acked = true;
    entry.waiting.delete(from);
    if (from !== entry.recipient) this.#scores.acked(from, entry.recipient, nowMono);
    // The other of two first hops: its neighbour has delivered as well, and is credited, but all else is done.
    if (entry.t !== undefined) return [{ type: "dropped", reason: "ack-repeat" }];
    entry.t = ack.t.slice();
    this.#pending.settle(entry);
    entry.ackHops = ack.hops;
    this.#absent.delete(entry.recipient);
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
      return [{ type: "dropped", reason: "fail-forged" }, ...this.#tryNext(entry, NO_ROUTE, nowMono)];
    }
    if (FINAL.includes(fail.reason)) return this.#fail(entry, fail);
    const link = linkTo(entry, from);
    if (fail.reason === "absent" && link !== undefined && !link.deflected && !link.learned) {
      // Whoever is closer has found nobody. That is passed up without other tries, so that a Send to nobody costs little; its author,
      // whose first hop may have lied, tries again with another envelope, which those who have seen this one will carry.
      if (!entry.source) this.#absent.add(entry.recipient, nowMono);
      return entry.source && entry.waiting.size > 0 ? [] : this.#fail(entry, fail);
    }
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
    return this.#tryNext(entry, NO_ROUTE, nowMono);
  }

  tick(nowMono: number): ForwarderOutput[] {
    const outputs = this.#hops.takeDue(nowMono).flatMap(({ id, peer, token }) => {
      const entry = this.#pending.byId(id);
      const isStuck = this.#tokens.has(token) && this.#links.isDoubtful(peer, nowMono);
      return entry !== undefined && isStuck ? this.#tryBeside(entry, nowMono) : [];
    });
    for (const { id } of this.#seconds.takeDue(nowMono)) {
      const entry = this.#pending.byId(id);
      if (entry?.outLinks.length === 1) outputs.push(...this.#tryBeside(entry, nowMono));
    }
    for (const { id, peer } of this.#acks.takeDue(nowMono)) {
      const entry = this.#pending.byId(id);
      // One who gave it back has not failed us, and of a recipient of our own we know by ourselves.
      if (entry === undefined || !entry.waiting.has(peer) || this.#links.has(entry.recipient)) continue;
      this.#routes.forget(entry.recipient, peer);
      this.#scores.missed(peer, entry.recipient, nowMono);
    }
    this.#pending.expire(nowMono);
    if (this.#pending.size === 0) this.#tokens.clear();
    return outputs;
  }

  nextDeadline(): number | null {
    const never = Number.POSITIVE_INFINITY;
    const due = Math.min(
      this.#pending.nextDeadline() ?? never,
      this.#acks.nextDeadline() ?? never,
      this.#hops.nextDeadline() ?? never,
      this.#seconds.nextDeadline() ?? never,
    );
    return due === never ? null : due;
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
        used: NONE,
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
    if (entry.t !== undefined || entry.failure !== undefined || entry.waiting.size > 0) return [];
    const isTried = entry.outLinks.length >= OUT_LINKS_MAX || nowMono > entry.startedMono + TRY_FOR_MS;
    const hop = isTried || entry.isSuperseded ? undefined : this.#nextHop(entry, nowMono);
    if (hop === undefined) {
      // Whom none of our anchors knows either is absent, as far as can be found out here.
      const isAbsent = !entry.source && entry.outLinks.some(({ deflected }) => deflected);
      if (isAbsent) this.#absent.add(entry.recipient, nowMono);
      return this.#fail(entry, isAbsent ? { reason: "absent", detail: 0 } : failure);
    }
    // An own link to the recipient is used whatever the hop count (PROTOCOL §5).
    if (entry.hops > HOP_LIMIT && hop.peer !== entry.recipient) {
      return this.#fail(entry, { reason: "hop-limit", detail: 0 });
    }
    return [this.#sendOn(entry, hop, nowMono)];
  }

  /** The next out-link as well, while the one before may still take the envelope in. */
  #tryBeside(entry: PendingEnvelope, nowMono: number): ForwarderOutput[] {
    if (entry.t !== undefined || entry.failure !== undefined || entry.isSuperseded) return [];
    if (entry.outLinks.length >= OUT_LINKS_MAX) return [];
    const hop = this.#nextHop(entry, nowMono);
    if (hop === undefined || hop.last !== entry.last || entry.hops > HOP_LIMIT) return [];
    return [this.#sendOn(entry, hop, nowMono)];
  }

  #sendOn(entry: PendingEnvelope, hop: NextHop, nowMono: number): SendTo {
    const { peer, last, learned } = hop;
    entry.outLinks.push({ peer, deflected: last && !entry.last, learned, acked: false });
    entry.waiting.add(peer);
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#hops.add(entry.id, peer, token, nowMono);
    if (peer !== entry.recipient) this.#acks.add(entry.id, peer, token, nowMono);
    this.#tokens.set(token, { id: entry.id, peer });
    return { type: "send", peer, frame: sendFrame(entry, hop), token, own: entry.source };
  }

  #nextHop(entry: PendingEnvelope, nowMono: number): NextHop | undefined {
    return nextHop({
      self: this.#self,
      recipient: entry.recipient,
      links: this.#links,
      isSelfReachable: this.#links.isSelfReachable(nowMono),
      learned: this.#routes.via(entry.recipient, nowMono),
      excluded: new Set([...entry.inLinks, ...entry.outLinks.map(({ peer }) => peer)]),
      used: entry.used,
      source: entry.source,
      avoidRecipient: entry.avoidRecipient,
      last: entry.last,
      nonImproving: entry.nonImproving,
      scoreOf: (peer) => (this.#links.isDoubtful(peer, nowMono) ? 0 : this.#scores.of(peer, nowMono)),
    });
  }

  #fail(entry: PendingEnvelope, failure: Failure): ForwarderOutput[] {
    if (entry.failure !== undefined || entry.t !== undefined) return [];
    entry.failure = failure;
    this.#pending.settle(entry);
    if (entry.source) {
      const { reason, detail } = failure;
      return [{ type: "settled", id: entry.id, outcome: { type: "failed", reason, detail } }];
    }
    return entry.inLinks.map((peer) => failTo(peer, entry.lock, failure));
  }
}

function linkTo(entry: PendingEnvelope, peer: NodeId) {
  return entry.outLinks.find((link) => link.peer === peer);
}

function newEntry(
  parts: Pick<
    PendingEnvelope,
    "id" | "lock" | "recipient" | "encodedEnvelope" | "avoidRecipient" | "used" | "source"
  > & { readonly nowMono: number },
): PendingEnvelope {
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
    failure: undefined,
    isSuperseded: false,
  };
}
