import type { NodeId, RandomSource } from "@starling/crypto-identity";
import { type Now, sortByDistance } from "@starling/peer-manager";
import type { Nodes } from "@starling/wire-protocol";
import type { LinkPath } from "./links.ts";
import type { TraceStep } from "./output.ts";

// Explains the way of a message, PROTOCOL §5 "trace": is there a link of our own; if not, which of the neighbours that would carry it
// has one? It asks by Lookup, whose answer says whether the target is attached. The first step that fails is the explanation.

const ANSWER_MS = 2000;
const ASK_MAX = 3;
// BOUNDED: one more fails with E_QUOTA.
const OPEN_MAX = 64;

export type TracerOutput =
  | { readonly type: "ask"; readonly peer: NodeId; readonly query: number; readonly target: NodeId }
  | { readonly type: "traced"; readonly id: string; readonly steps: readonly TraceStep[] }
  | { readonly type: "failed"; readonly id: string; readonly code: "E_QUOTA"; readonly message: string };

type Trace = {
  readonly id: string;
  readonly target: NodeId;
  readonly query: number;
  readonly askedMono: number;
  readonly waiting: Set<NodeId>;
  readonly steps: TraceStep[];
};

export type TracerOptions = {
  readonly self: NodeId;
  readonly random: RandomSource;
  readonly pathTo: (peer: NodeId) => LinkPath | undefined;
  /** Neighbours that carry messages for others. */
  readonly reachable: () => readonly NodeId[];
};

export class Tracer {
  readonly #options: TracerOptions;
  readonly #traces = new Map<number, Trace>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  trace(id: string, target: NodeId, now: Now): TracerOutput[] {
    const { self, random, pathTo, reachable } = this.#options;
    const path = pathTo(target);
    const own: TraceStep = { node: self, asked: "own link", answer: path ?? "none", ms: 0 };
    if (path !== undefined) return [{ type: "traced", id, steps: [own] }];
    const carriers = sortByDistance(
      target,
      reachable().map((peer) => ({ id: peer })),
    ).slice(0, ASK_MAX);
    if (carriers.length === 0) {
      const none: TraceStep = { node: self, asked: "neighbours that carry messages", answer: "none", ms: 0 };
      return [{ type: "traced", id, steps: [own, none] }];
    }
    if (this.#traces.size >= OPEN_MAX)
      return [{ type: "failed", id, code: "E_QUOTA", message: "too many traces are under way" }];
    const bytes = random(4);
    const query = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const waiting = new Set(carriers.map((carrier) => carrier.id));
    this.#traces.set(query, { id, target, query, askedMono: now.mono, waiting, steps: [own] });
    return [...waiting].map((peer) => ({ type: "ask", peer, query, target }));
  }

  /** A neighbour's answer; what it says is hearsay, and shown as its words. */
  answered(peer: NodeId, nodes: Nodes, now: Now): TracerOutput[] {
    const trace = this.#traces.get(nodes.query);
    if (trace === undefined || !trace.waiting.delete(peer)) return [];
    const ms = Math.round(now.mono - trace.askedMono);
    trace.steps.push({ node: peer, asked: "link to the recipient", answer: nodes.attached ? "yes" : "none", ms });
    return trace.waiting.size === 0 || nodes.attached ? this.#end(trace) : [];
  }

  tick(now: Now): TracerOutput[] {
    return [...this.#traces.values()].flatMap((trace) => {
      if (now.mono < trace.askedMono + ANSWER_MS) return [];
      for (const node of trace.waiting) {
        trace.steps.push({ node, asked: "link to the recipient", answer: "no answer", ms: ANSWER_MS });
      }
      return this.#end(trace);
    });
  }

  nextDeadline(): number | null {
    const oldest = this.#traces.values().next();
    return oldest.done ? null : oldest.value.askedMono + ANSWER_MS;
  }

  #end(trace: Trace): TracerOutput[] {
    this.#traces.delete(trace.query);
    return [{ type: "traced", id: trace.id, steps: trace.steps }];
  }
}
