import type { NodeId } from "@starling/crypto-identity";
import { HOP_LIMIT } from "@starling/wire-protocol";
import type { AbsentCache } from "./absent-cache.ts";
import { AckWatch } from "./ack-watch.ts";
import { type Failure, failTo, type SendTo, sendFrame } from "./answers.ts";
import type { LinkUse } from "./link-use.ts";
import type { Links } from "./links.ts";
import type { NeighbourScores } from "./neighbour-scores.ts";
import type { NextHop } from "./next-hop.ts";
import { nextHop } from "./next-hop.ts";
import type { ForwarderOutput } from "./outcome.ts";
import { linkTo, type PendingEnvelope } from "./pending-envelope.ts";
import type { PendingTable } from "./pending-table.ts";
import type { RouteTable } from "./route-table.ts";

// Over which links an envelope leaves, PROTOCOL §7.6: one after the other, a second one beside the first where that is slow, and what it
// means to a neighbour's score and routes when nothing comes back. Where none is left the envelope has failed here.

const OUT_LINKS_MAX = 3;
const TRY_FOR_MS = 3000;
/** An ack that has not come by then counts as missing. */
const ACK_MS = 3000;
/** A neighbour that has not even taken the frame in by then, nor acknowledged anything, gets company: the next out-link. */
const HOP_MS = 500;
/** The second first hop of a pair follows where the first has brought no ack by then: mostly it has, and half the cost is saved. */
const SECOND_MS = 800;

export type OutLinksOptions = {
  readonly self: NodeId;
  readonly links: Links;
  readonly pending: PendingTable;
  readonly routes: RouteTable;
  readonly absent: AbsentCache;
  readonly scores: NeighbourScores;
  readonly use: LinkUse;
};

export class OutLinks {
  readonly #options: OutLinksOptions;
  readonly #acks = new AckWatch(ACK_MS);
  readonly #hops = new AckWatch(HOP_MS);
  readonly #seconds = new AckWatch(SECOND_MS);
  // BOUNDED: one token for each Send in flight, at most OUT_LINKS_MAX an entry of the pending table.
  readonly #tokens = new Map<number, { readonly id: string; readonly peer: NodeId }>();
  #nextToken = 1;

  constructor(options: OutLinksOptions) {
    this.#options = options;
  }

  /** The next out-link, where none is waited for any more; `failure` is told where there is none. */
  tryNext(entry: PendingEnvelope, failure: Failure, nowMono: number): ForwarderOutput[] {
    if (entry.t !== undefined || entry.failure !== undefined || entry.waiting.size > 0) return [];
    const isTried = entry.outLinks.length >= OUT_LINKS_MAX || nowMono > entry.startedMono + TRY_FOR_MS;
    const hop = isTried || entry.isSuperseded ? undefined : this.#nextHop(entry, nowMono);
    if (hop === undefined) {
      // Whom none of our anchors knows either is absent, as far as can be found out here; not where one of them had no room for it.
      const isShed = failure.reason === "price" || failure.reason === "shed";
      const isAbsent = !entry.source && !isShed && entry.outLinks.some(({ deflected }) => deflected);
      if (isAbsent) this.#options.absent.add(entry.recipient, nowMono);
      return this.giveUp(entry, isAbsent ? { reason: "absent", detail: 0 } : failure);
    }
    // An own link to the recipient is used whatever the hop count (PROTOCOL §7.6).
    if (entry.hops > HOP_LIMIT && hop.peer !== entry.recipient) {
      return this.giveUp(entry, { reason: "hop-limit", detail: 0 });
    }
    return [this.#sendOn(entry, hop, nowMono)];
  }

  /** Straight to a neighbour that is known to lead there. */
  sendTo(peer: NodeId, entry: PendingEnvelope, nowMono: number): SendTo {
    return this.#sendOn(entry, { peer, last: false, nonImproving: 0, learned: false }, nowMono);
  }

  /** Of an envelope that has just gone out: a second first hop follows before long, unless an ack comes. */
  followUp(entry: PendingEnvelope, nowMono: number): void {
    const [first] = entry.outLinks;
    if (first !== undefined) this.#seconds.add(entry.id, first.peer, 0, nowMono);
  }

  /** It goes no further from here: everybody it came from is told. */
  giveUp(entry: PendingEnvelope, failure: Failure): ForwarderOutput[] {
    if (entry.failure !== undefined || entry.t !== undefined) return [];
    entry.failure = failure;
    this.#options.pending.settle(entry);
    if (entry.source) {
      const { reason, detail } = failure;
      return [{ type: "settled", id: entry.id, outcome: { type: "failed", reason, detail } }];
    }
    return entry.inLinks.map((peer) => failTo(peer, entry.lock, failure));
  }

  /** The neighbour's session took the frame in. */
  handedOver(token: number): void {
    this.#tokens.delete(token);
  }

  /** The neighbour's session did not take the frame in: the next out-link is tried. */
  undelivered(token: number, failure: Failure, nowMono: number): ForwarderOutput[] {
    const { pending, routes } = this.#options;
    const sent = this.#tokens.get(token);
    this.#tokens.delete(token);
    const entry = sent === undefined ? undefined : pending.byId(sent.id);
    if (sent === undefined || entry === undefined || !entry.waiting.delete(sent.peer)) return [];
    routes.forget(entry.recipient, sent.peer);
    return this.tryNext(entry, failure, nowMono);
  }

  tick(nowMono: number): ForwarderOutput[] {
    const { pending, links, routes, scores } = this.#options;
    const outputs = this.#hops.takeDue(nowMono).flatMap(({ id, peer, token }) => {
      const entry = pending.byId(id);
      const isStuck = this.#tokens.has(token) && links.isDoubtful(peer, nowMono);
      return entry !== undefined && isStuck ? this.#tryBeside(entry, nowMono) : [];
    });
    for (const { id } of this.#seconds.takeDue(nowMono)) {
      const entry = pending.byId(id);
      if (entry?.outLinks.length === 1) outputs.push(...this.#tryBeside(entry, nowMono));
    }
    for (const { id, peer } of this.#acks.takeDue(nowMono)) {
      const entry = pending.byId(id);
      // One who gave it back has not failed us, and of a recipient of our own we know by ourselves.
      if (entry === undefined || !entry.waiting.has(peer) || links.has(entry.recipient)) continue;
      routes.forget(entry.recipient, peer);
      scores.missed(peer, entry.recipient, nowMono);
    }
    pending.expire(nowMono);
    if (pending.size === 0) this.#tokens.clear();
    return outputs;
  }

  nextDeadline(): number | null {
    const never = Number.POSITIVE_INFINITY;
    const due = Math.min(
      this.#options.pending.nextDeadline() ?? never,
      this.#acks.nextDeadline() ?? never,
      this.#hops.nextDeadline() ?? never,
      this.#seconds.nextDeadline() ?? never,
    );
    return due === never ? null : due;
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
    this.#options.use.used(peer, nowMono);
    return { type: "send", peer, frame: sendFrame(entry, hop), token, own: entry.source };
  }

  #nextHop(entry: PendingEnvelope, nowMono: number): NextHop | undefined {
    const { self, links, routes, scores } = this.#options;
    return nextHop({
      self,
      recipient: entry.recipient,
      links,
      isSelfReachable: links.isSelfReachable(nowMono),
      learned: routes.via(entry.recipient, nowMono),
      isExcluded: (peer) => entry.inLinks.includes(peer) || linkTo(entry, peer) !== undefined,
      used: entry.used,
      source: entry.source,
      avoidRecipient: entry.avoidRecipient,
      last: entry.last,
      nonImproving: entry.nonImproving,
      scoreOf: (peer) => (links.isDoubtful(peer, nowMono) ? 0 : scores.of(peer, nowMono)),
    });
  }
}
