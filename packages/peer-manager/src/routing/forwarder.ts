import type { NodeId } from "@starling/crypto-identity";
import type { Send, SendAck, SendFail, SendFailReason } from "@starling/wire-protocol";
import { HOP_LIMIT, lockOf } from "@starling/wire-protocol";
import { AbsentCache } from "./absent-cache.ts";
import { ackTo, type Failure, failTo } from "./answers.ts";
import { LinkUse } from "./link-use.ts";
import type { Links } from "./links.ts";
import { NeighbourScores } from "./neighbour-scores.ts";
import { OutLinks } from "./out-links.ts";
import type { ForwarderOutput, Origination } from "./outcome.ts";
import { carriedEnvelope, linkTo, ownEnvelope, type PendingEnvelope } from "./pending-envelope.ts";
import { PendingTable } from "./pending-table.ts";
import { RouteTable } from "./route-table.ts";

// Carries envelopes hop by hop and their acks back, PROTOCOL §7.6. The author's own envelopes and those that end here pass through
// the same table as those carried for others, so one set of rules answers repeats, loops and acks.
//
//            accept / originate            SendAck opens the lock
//   (none) ──────────────────▶ waiting ──────────────────────────▶ acknowledged ──▶ expired (30 s)
//                                │ ▲                                     ▲
//          SendFail, no hop ack  │ │ next out-link (<= 3, within 3 s)    │ a late ack still counts
//                                ▼ │                                     │
//                               trying ── none left ──▶ failed ──────────┘

const IN_LINKS_MAX = 4;
const NO_ROUTE: Failure = { reason: "no-route", detail: 0 };
/** What the recipient itself says, and what every further node would say too: it goes straight back to the author. */
const FINAL: readonly SendFailReason[] = ["no-inbox", "full", "stale", "bad-stamp", "hop-limit"];

/**
 * Carries envelopes hop by hop: next hops, retries, hash-locked acks, learned routes (docs/PROTOCOL.md §7). What comes in has
 * been verified.
 */
export class Forwarder {
  readonly #links: Links;
  readonly #pending: PendingTable;
  readonly #routes = new RouteTable();
  readonly #absent = new AbsentCache();
  readonly #scores = new NeighbourScores();
  readonly #use = new LinkUse();
  readonly #outLinks: OutLinks;

  /** `pendingMax`: envelopes under way at once. */
  constructor(self: NodeId, links: Links, pendingMax?: number) {
    this.#pending = new PendingTable(pendingMax);
    this.#links = links;
    this.#outLinks = new OutLinks({
      ...{ self, links, pending: this.#pending },
      ...{ routes: this.#routes, absent: this.#absent, scores: this.#scores, use: this.#use },
    });
  }

  /** Envelopes being carried, those included that are kept to know their repeats. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Envelopes without an outcome yet. */
  get openCount(): number {
    return this.#pending.openCount;
  }

  /** Whether an envelope is known, by its id. */
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

  /** Whether an ack may still be on its way over this link, one way or the other. */
  isInUse(peer: NodeId, nowMono: number): boolean {
    return this.#use.isInUse(peer, nowMono);
  }

  /** An envelope of our own. */
  originate(origination: Origination, nowMono: number): ForwarderOutput[] {
    const { earlierIds = [], isPair = false, firstHop } = origination;
    const used = new Set<NodeId>();
    for (const earlier of earlierIds.flatMap((other) => this.#pending.byId(other) ?? [])) {
      // This attempt takes over: the earlier ones may still be answered, and are sent to nobody else.
      earlier.isSuperseded = true;
      for (const { peer } of earlier.outLinks) used.add(peer);
    }
    const entry = ownEnvelope(origination, used, nowMono);
    this.#pending.add(entry);
    if (firstHop !== undefined && this.#links.has(firstHop)) return [this.#outLinks.sendTo(firstHop, entry, nowMono)];
    const outputs = this.#outLinks.tryNext(entry, NO_ROUTE, nowMono);
    if (isPair) this.#outLinks.followUp(entry, nowMono);
    return outputs;
  }

  /** An envelope for somebody else that has passed the ladder and was entered into the SeenFilter. */
  forward(from: NodeId, id: string, send: Send, nowMono: number): ForwarderOutput[] {
    const entry = this.#enter(from, id, send, nowMono);
    if (this.#absent.has(send.envelope.recipient, nowMono) && !this.#links.has(send.envelope.recipient)) {
      return this.#outLinks.giveUp(entry, { reason: "absent", detail: 0 });
    }
    return this.#outLinks.tryNext(entry, { reason: "absent", detail: 0 }, nowMono);
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

  /** What ends here is refused: a SendFail goes back. With `t` it is proved to come from the recipient. */
  refused(id: string, reason: SendFailReason, t?: Uint8Array): ForwarderOutput[] {
    const entry = this.#pending.byId(id);
    return entry === undefined ? [] : this.#outLinks.giveUp(entry, { reason, detail: 0, t });
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
      return [{ type: "dropped", reason: "fail-forged" }, ...this.#outLinks.tryNext(entry, NO_ROUTE, nowMono)];
    }
    // Kept for as long as the envelope is: t is a view into a datagram.
    const failure: Failure = { reason: fail.reason, detail: fail.detail, t: fail.t?.slice() };
    if (FINAL.includes(fail.reason)) return this.#outLinks.giveUp(entry, failure);
    const link = linkTo(entry, from);
    if (fail.reason === "absent" && link !== undefined && !link.deflected && !link.learned) {
      // Whoever is closer has found nobody. That is passed up without other tries, so that a Send to nobody costs little; its author,
      // whose first hop may have lied, tries again with another envelope, which those who have seen this one will carry.
      if (!entry.source) this.#absent.add(entry.recipient, nowMono);
      return entry.source && entry.waiting.size > 0 ? [] : this.#outLinks.giveUp(entry, failure);
    }
    return this.#outLinks.tryNext(entry, failure, nowMono);
  }

  /** The neighbour's session took the frame in. */
  handedOver(token: number): void {
    this.#outLinks.handedOver(token);
  }

  /** The neighbour's session did not take the frame in: the next out-link is tried. */
  undelivered(token: number, nowMono: number): ForwarderOutput[] {
    return this.#outLinks.undelivered(token, NO_ROUTE, nowMono);
  }

  /** What is due: envelopes whose next hop was silent. */
  tick(nowMono: number): ForwarderOutput[] {
    return this.#outLinks.tick(nowMono);
  }

  /** Monotonic time, ms, of the next tick that has something to do; null: none. */
  nextDeadline(): number | null {
    return this.#outLinks.nextDeadline();
  }

  #enter(from: NodeId, id: string, send: Send, nowMono: number): PendingEnvelope {
    const entry = carriedEnvelope(from, id, send, nowMono);
    this.#use.used(from, nowMono);
    this.#pending.add(entry);
    return entry;
  }
}
