import type { NodeId, RandomSource } from "@starling/crypto-identity";
import { IterativeLookup, type LookupStep, type Now } from "@starling/peer-manager";
import type { Contact, Nodes } from "@starling/wire-protocol";

// Finds a node that a recipient is attached to, by iterative Lookup: the source's way round forwarders that drop (PROTOCOL §7.7).

/** A search ends after this long, whatever is still to be asked. */
const SEARCH_MS = 5000;
// BOUNDED: one more is answered `not-found` at once.
const SEARCHES_MAX = 64;

export type FinderOutput =
  | { readonly type: "ask"; readonly contact: Contact; readonly query: number; readonly target: NodeId }
  | { readonly type: "found"; readonly target: NodeId; readonly peer: NodeId }
  | { readonly type: "not-found"; readonly target: NodeId };

type Search = {
  readonly query: number;
  readonly lookup: IterativeLookup;
  readonly excluded: ReadonlySet<NodeId>;
  readonly untilMono: number;
};

export class Finder {
  readonly #self: NodeId;
  readonly #random: RandomSource;
  readonly #start: (target: NodeId) => readonly Contact[];
  readonly #byTarget = new Map<NodeId, Search>();
  readonly #byQuery = new Map<number, Search>();

  /** `start`: neighbours to begin with. */
  constructor(self: NodeId, random: RandomSource, start: (target: NodeId) => readonly Contact[]) {
    this.#self = self;
    this.#random = random;
    this.#start = start;
  }

  /** Whom `target` is attached to, other than the excluded, who have said so before and were of no use. */
  find(target: NodeId, excluded: readonly NodeId[], now: Now): FinderOutput[] {
    if (this.#byTarget.has(target)) return [];
    if (this.#byTarget.size >= SEARCHES_MAX) return [{ type: "not-found", target }];
    const lookup = new IterativeLookup(this.#self, target, this.#start(target));
    const bytes = this.#random(4);
    const query = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const search = { query, lookup, excluded: new Set(excluded), untilMono: now.mono + SEARCH_MS };
    this.#byTarget.set(target, search);
    this.#byQuery.set(query, search);
    return this.#follow(search, lookup.advance(now.mono));
  }

  answered(peer: NodeId, nodes: Nodes, now: Now): FinderOutput[] {
    const search = this.#byQuery.get(nodes.query);
    return search === undefined ? [] : this.#follow(search, search.lookup.answered(peer, nodes, now.mono));
  }

  tick(now: Now): FinderOutput[] {
    return [...this.#byTarget.values()].flatMap((search) => {
      if (now.mono >= search.untilMono) return this.#end(search, undefined);
      if (now.mono < (search.lookup.nextDeadline() ?? Number.POSITIVE_INFINITY)) return [];
      return this.#follow(search, search.lookup.advance(now.mono));
    });
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { lookup, untilMono } of this.#byTarget.values()) {
      next = Math.min(next, untilMono, lookup.nextDeadline() ?? untilMono);
    }
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #follow(search: Search, step: LookupStep): FinderOutput[] {
    const { query, lookup, excluded } = search;
    const { attached } = step;
    if (attached !== undefined && !excluded.has(attached)) return this.#end(search, attached);
    if (step.isOver) return this.#end(search, undefined);
    return step.asks.map((contact) => ({ type: "ask", contact, query, target: lookup.target }));
  }

  #end({ query, lookup: { target } }: Search, peer: NodeId | undefined): FinderOutput[] {
    this.#byTarget.delete(target);
    this.#byQuery.delete(query);
    return [peer === undefined ? { type: "not-found", target } : { type: "found", target, peer }];
  }
}
