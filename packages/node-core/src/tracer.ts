import type { NodeId, RandomSource } from "@starling/crypto-identity";
import { IterativeLookup, type LookupStep, type Now } from "@starling/peer-manager";
import type { Contact, Nodes } from "@starling/wire-protocol";
import type { LinkPath } from "./links.ts";
import type { TraceStep } from "./output.ts";

// Explains the way of a message: is there a link of our own; if not, which node on the way has one? It walks towards the recipient as a
// Send would, asking one node after the other by Lookup (PROTOCOL §6), whose answer says whether the recipient is attached and who is
// closer. The first step that fails is the explanation.

const SEARCH_MS = 15_000;
/** Neighbours that the walk may begin with: the second is asked where the first leads nowhere. */
const STARTS = 3;
// BOUNDED: one more fails with E_QUOTA.
const OPEN_MAX = 64;

export type TracerOutput =
  | { readonly type: "ask"; readonly contact: Contact; readonly query: number; readonly target: NodeId }
  | { readonly type: "traced"; readonly id: string; readonly steps: readonly TraceStep[] }
  | { readonly type: "failed"; readonly id: string; readonly code: "E_QUOTA"; readonly message: string };

type Trace = {
  readonly id: string;
  readonly query: number;
  readonly lookup: IterativeLookup;
  readonly untilMono: number;
  /** Who has been asked and has neither answered nor been given up, and since when. */
  readonly waiting: Map<NodeId, number>;
  readonly steps: TraceStep[];
};

export type TracerOptions = {
  readonly self: NodeId;
  readonly random: RandomSource;
  readonly pathTo: (peer: NodeId) => LinkPath | undefined;
  /** The neighbours that carry messages for others, closest to a node first. */
  readonly carriersNear: (target: NodeId, count: number) => readonly Contact[];
};

export class Tracer {
  readonly #options: TracerOptions;
  readonly #traces = new Map<number, Trace>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  trace(id: string, target: NodeId, now: Now): TracerOutput[] {
    const { self, random, pathTo, carriersNear } = this.#options;
    const path = pathTo(target);
    const own: TraceStep = { node: self, asked: "own link", answer: path ?? "none", ms: 0 };
    if (path !== undefined) return [{ type: "traced", id, steps: [own] }];
    const carriers = carriersNear(target, STARTS);
    if (carriers.length === 0) {
      const none: TraceStep = { node: self, asked: "neighbours that carry messages", answer: "none", ms: 0 };
      return [{ type: "traced", id, steps: [own, none] }];
    }
    if (this.#traces.size >= OPEN_MAX)
      return [{ type: "failed", id, code: "E_QUOTA", message: "too many traces are under way" }];
    const bytes = random(4);
    const query = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const lookup = new IterativeLookup(self, target, carriers, 1);
    const trace: Trace = {
      ...{ id, query, lookup, untilMono: now.mono + SEARCH_MS },
      waiting: new Map(),
      steps: [own],
    };
    this.#traces.set(query, trace);
    return this.#follow(trace, lookup.advance(now.mono), now);
  }

  /** A node's answer; what it says is hearsay, and shown as its words. */
  answered(peer: NodeId, nodes: Nodes, now: Now): TracerOutput[] {
    const trace = this.#traces.get(nodes.query);
    const askedMono = trace?.waiting.get(peer);
    if (trace === undefined || askedMono === undefined) return [];
    trace.waiting.delete(peer);
    const ms = Math.round(now.mono - askedMono);
    trace.steps.push({ node: peer, asked: "link to the recipient", answer: nodes.attached ? "yes" : "none", ms });
    return this.#follow(trace, trace.lookup.answered(peer, nodes, now.mono), now);
  }

  tick(now: Now): TracerOutput[] {
    return [...this.#traces.values()].flatMap((trace) => {
      if (now.mono < Math.min(trace.untilMono, trace.lookup.nextDeadline() ?? trace.untilMono)) return [];
      const step = trace.lookup.advance(now.mono);
      for (const node of trace.lookup.silent()) {
        const askedMono = trace.waiting.get(node);
        if (askedMono === undefined) continue;
        trace.waiting.delete(node);
        const ms = Math.round(now.mono - askedMono);
        trace.steps.push({ node, asked: "link to the recipient", answer: "no answer", ms });
      }
      return now.mono >= trace.untilMono ? this.#end(trace) : this.#follow(trace, step, now);
    });
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { lookup, untilMono } of this.#traces.values()) {
      next = Math.min(next, untilMono, lookup.nextDeadline() ?? untilMono);
    }
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #follow(trace: Trace, step: LookupStep, now: Now): TracerOutput[] {
    if (step.attached !== undefined || step.isOver) return this.#end(trace);
    return step.asks.map((contact) => {
      trace.waiting.set(contact.id, now.mono);
      return { type: "ask", contact, query: trace.query, target: trace.lookup.target };
    });
  }

  #end(trace: Trace): TracerOutput[] {
    this.#traces.delete(trace.query);
    return [{ type: "traced", id: trace.id, steps: trace.steps }];
  }
}
