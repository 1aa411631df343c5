import { median } from "../figure.ts";
import type { Alone, Processes } from "./processes.ts";
import { quantile } from "./quantile.ts";

// Broadcasts among N nodes, each side's in one process, the author another one each time, the next broadcast when all have the last:
//   gossipsub   js-libp2p, TCP, Noise and yamux, gossipsub as it is by default (signed), each with as many connections as a node of ours
//   free        our cores over UDP, no stamps asked for
//   stamped     the same with the stamps that ship: an author mints before it sends
//
// Bytes are those of the loopback interface of a network namespace that each process has for itself, IP headers, acknowledgements and
// handshakes' upkeep included; what passes in the same time with nobody speaking is taken off, and told.

export const KINDS = ["gossipsub", "free", "stamped"] as const;
export type Kind = (typeof KINDS)[number];
export type Fleet = Alone<{ readonly links: number }>;
type Wire = { readonly bytes: number; readonly packets: number };
type Answer = { readonly ms: readonly number[]; readonly tookMs: number; readonly wire: Wire | null };
export type Sample = {
  /** ms. */
  readonly p50: number;
  readonly p99: number;
  /** Of IP, a delivery; NaN where they could not be counted. */
  readonly bytes: number;
  readonly packets: number;
  /** Deliveries. */
  readonly count: number;
};
/** A millisecond of the whole fleet. */
export type Idle = { readonly bytes: number; readonly packets: number };

const P99 = 0.99;
export const NOTHING: Idle = { bytes: 0, packets: 0 };

export async function openFleets(processes: Processes, nodes: number): Promise<Record<Kind, Fleet>> {
  const free: Fleet = await processes.alone("fleet-child.ts", String(nodes), "free");
  const stamped: Fleet = await processes.alone("fleet-child.ts", String(nodes), "stamped");
  // Half of what a node has, as each connection has two ends.
  const dials = String(Math.max(2, Math.round(free.ready.links / 2)));
  const gossipsub: Fleet = await processes.alonePeer("gossip.mjs", String(nodes), dials);
  return { gossipsub, free, stamped };
}

/** What passes with nobody speaking, over this many ms. */
export async function idleOf(fleet: Fleet, ms: number): Promise<Idle> {
  const { tookMs, wire } = await fleet.ask<Answer>({ type: "idle", ms });
  return wire === null ? NOTHING : { bytes: wire.bytes / tookMs, packets: wire.packets / tookMs };
}

export async function measure(
  fleet: Fleet,
  { broadcasts, sizeBytes }: { readonly broadcasts: number; readonly sizeBytes: number },
  idle: Idle,
): Promise<Sample> {
  const { ms, tookMs, wire } = await fleet.ask<Answer>({ type: "broadcast", count: broadcasts, sizeBytes });
  const each = (key: keyof Wire): number => ((wire?.[key] ?? Number.NaN) - idle[key] * tookMs) / ms.length;
  return {
    p50: median(ms),
    p99: quantile(ms, P99),
    bytes: each("bytes"),
    packets: each("packets"),
    count: ms.length,
  };
}
