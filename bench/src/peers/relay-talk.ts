import { join } from "node:path";
import { median } from "../figure.ts";
import type { Process, Processes, Relay } from "./processes.ts";
import { quantile } from "./quantile.ts";

// A talks to B through a relay, three processes on loopback:
//   libp2p   circuit relay v2 over TCP, its limits off; Noise and yamux end to end, a stream that is open already
//   core     starling-relay and two cores over UDP, no stamps asked for, quotas raised, no local API, nothing written to disk
//   daemon   starling-relay and two embedded nodes as they ship: a stamp minted for every message, an inbox on disk, the local API
// A Starling message is sealed for itself and has a receipt that B alone can give. A libp2p message is a part of a stream.

export const KINDS = ["libp2p", "core", "daemon"] as const;
export type Kind = (typeof KINDS)[number];

export type Talk = {
  readonly end: Process;
  readonly to: string;
  readonly all: readonly { cpuMs(): number }[];
  /** The other end, where it has to know how long a message is. */
  readonly told?: Process;
};

export type Sample = {
  /** Of requests and replies, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Of all three processes, a message, in µs. */
  readonly cpuUs: number;
};

export type Load = {
  readonly pings: number;
  readonly pingBytes: number;
  readonly messages: number;
  readonly messageBytes: number;
};

const WINDOW = 32;
const P99 = 0.99;

export async function openTalks(processes: Processes, folder: string): Promise<Record<Kind, Talk>> {
  return {
    libp2p: await startLibp2p(processes),
    core: await startStarling(processes, "core", await processes.stampFreeRelay(join(folder, "free"))),
    daemon: await startStarling(processes, "daemon", await processes.relay(join(folder, "stamped"))),
  };
}

async function startLibp2p(processes: Processes): Promise<Talk> {
  const relay = await processes.peer<{ readonly address: string }>("libp2p-relay.mjs");
  const listening = await processes.peer("libp2p-end.mjs", "listen", relay.ready.address);
  const { address: to } = await listening.ask<{ readonly address: string }>({ type: "address" });
  const end = await processes.peer("libp2p-end.mjs", "dial", relay.ready.address);
  const { via } = await end.ask<{ readonly via: readonly string[] }>({ type: "connect", to });
  // A direct connection beside it would be another race.
  const direct = via.filter((address) => !address.startsWith(relay.ready.address));
  if (direct.length > 0) throw new Error(`libp2p does not talk over the relay alone: ${direct.join(", ")}`);
  return { end, to, all: [relay, listening, end], told: listening };
}

async function startStarling(processes: Processes, kind: "core" | "daemon", relay: Relay): Promise<Talk> {
  const { contact } = relay;
  const other = await processes.ours<{ readonly id: string }>("end-child.ts", kind, contact);
  const end = await processes.ours("end-child.ts", kind, contact);
  return { end, to: other.ready.id, all: [relay, other, end] };
}

/** Requests one after another, then messages with at most 32 that have no receipt. */
export async function measure({ end, to, all: processes, told }: Talk, load: Load): Promise<Sample> {
  const { pings, pingBytes, messages: count, messageBytes: sizeBytes } = load;
  await told?.ask({ type: "expect", sizeBytes });
  const ping = { type: "ping", to, count: pings, sizeBytes: pingBytes };
  const { ms: all } = await end.ask<{ readonly ms: readonly number[] }>(ping);
  const cpuMs = (): number => processes.reduce((sum, process) => sum + process.cpuMs(), 0);
  const before = cpuMs();
  const { ms } = await end.ask<{ readonly ms: number }>({ type: "receipts", to, count, sizeBytes, window: WINDOW });
  const cpuUs = ((cpuMs() - before) * 1000) / count;
  return { p50: median(all), p99: quantile(all, P99), perSecond: (count * 1000) / ms, cpuUs };
}
