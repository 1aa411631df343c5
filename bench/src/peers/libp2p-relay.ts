import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, median, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { installPeers, versionOf } from "./install.ts";
import { type Process, Processes, type Relay } from "./processes.ts";

// A talks to B through a relay, three processes on loopback, in turn within each round:
//   libp2p   circuit relay v2 over TCP, its limits off; Noise and yamux end to end, a stream that is open already
//   core     starling-relay and two cores over UDP, no stamps asked for, quotas raised, no local API, nothing written to disk
//   daemon   starling-relay and two embedded nodes as they ship: a stamp minted for every message, an inbox on disk, the local API
// A Starling message is sealed for itself and has a receipt that B alone can give. A libp2p message is a part of a stream.

const ROUNDS = 3;
const PINGS = 50;
const PING_BYTES = 100;
const MESSAGE_BYTES = 800;
const MESSAGES = 800;
/** Those that are stamped take as long as minting them. */
const STAMPED_MESSAGES = 160;
const WINDOW = 32;
const P99 = 0.99;

type Kind = "libp2p" | "core" | "daemon";
type Sample = {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Of all three processes, a message, in µs. */
  readonly cpuUs: number;
};
type Timed = { readonly ms: number };

export async function libp2pRelay(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const fault = await installPeers();
  const name = "through a relay: beside js-libp2p";
  if (fault !== undefined) return [{ name, unit: "x", samples: [], skipped: fault }];
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const processes = new Processes();
  const samples: Record<Kind, Sample[]> = { libp2p: [], core: [], daemon: [] };
  const streamed: number[] = [];
  try {
    const libp2p = await startLibp2p(processes);
    const core = await startStarling(processes, "core", await processes.stampFreeRelay(join(folder, "free")));
    const daemon = await startStarling(processes, "daemon", await processes.relay(join(folder, "stamped")));
    for (let round = -1; round < ROUNDS; round += 1) {
      const measured = {
        libp2p: await measure(libp2p, MESSAGES),
        core: await measure(core, MESSAGES),
        daemon: await measure(daemon, STAMPED_MESSAGES),
      };
      const { ms } = await libp2p.end.ask<Timed>({ type: "stream", count: MESSAGES });
      if (round >= 0) {
        for (const kind of ["libp2p", "core", "daemon"] as const) samples[kind].push(measured[kind]);
        streamed.push((MESSAGES * 1000) / ms);
      }
      progress(round + 2, ROUNDS + 1);
    }
  } finally {
    await processes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures(samples, streamed);
}

type Talk = { readonly end: Process; readonly to: string; readonly all: readonly { cpuMs(): number }[] };

async function startLibp2p(processes: Processes): Promise<Talk> {
  const relay = await processes.peer<{ readonly address: string }>("libp2p-relay.mjs");
  const listening = await processes.peer("libp2p-end.mjs", "listen", relay.ready.address);
  const { address: to } = await listening.ask<{ readonly address: string }>({ type: "address" });
  const end = await processes.peer("libp2p-end.mjs", "dial", relay.ready.address);
  const { via } = await end.ask<{ readonly via: readonly string[] }>({ type: "connect", to });
  // A direct connection beside it would be another race.
  const direct = via.filter((address) => !address.startsWith(relay.ready.address));
  if (direct.length > 0) throw new Error(`libp2p does not talk over the relay alone: ${direct.join(", ")}`);
  return { end, to, all: [relay, listening, end] };
}

async function startStarling(processes: Processes, kind: "core" | "daemon", relay: Relay): Promise<Talk> {
  const { contact } = relay;
  const other = await processes.ours<{ readonly id: string }>("end-child.ts", kind, contact);
  const end = await processes.ours("end-child.ts", kind, contact);
  return { end, to: other.ready.id, all: [relay, other, end] };
}

async function measure({ end, to, all: processes }: Talk, count: number): Promise<Sample> {
  const ping = { type: "ping", to, count: PINGS, sizeBytes: PING_BYTES };
  const { ms: all } = await end.ask<{ readonly ms: readonly number[] }>(ping);
  const cpuMs = (): number => processes.reduce((sum, process) => sum + process.cpuMs(), 0);
  const before = cpuMs();
  const { ms } = await end.ask<Timed>({ type: "receipts", to, count, sizeBytes: MESSAGE_BYTES, window: WINDOW });
  const cpuUs = ((cpuMs() - before) * 1000) / count;
  return { p50: median(all), p99: quantile(all, P99), perSecond: (count * 1000) / ms, cpuUs };
}

export function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;
}

function figures(samples: Record<Kind, readonly Sample[]>, streamed: readonly number[]): Figure[] {
  const version = versionOf("libp2p");
  const column = (kind: Kind, key: keyof Sample): number[] => samples[kind].map((sample) => sample[key]);
  const compared = (
    name: string,
    kind: Kind,
    key: keyof Sample,
    unit: string,
    peer = column("libp2p", key),
  ): Figure => ({
    name: `through a relay: ${name}`,
    unit: "x",
    samples: ratios(column(kind, key), peer),
    ours: `${number(median(column(kind, key)))}${unit}`,
    peer: `${version}: ${number(median(peer))}${unit}`,
  });
  return [
    compared("request and reply of 100 B, p50, without stamps", "core", "p50", " ms"),
    compared("the same, p99", "core", "p99", " ms"),
    compared("request and reply of 100 B, p50, as shipped", "daemon", "p50", " ms"),
    compared("the same, p99", "daemon", "p99", " ms"),
    compared("800 B with a receipt each, without stamps", "core", "perSecond", "/s"),
    compared("the same beside 800 B of a stream, nothing answered", "core", "perSecond", "/s", [...streamed]),
    compared("800 B with a receipt each, as shipped", "daemon", "perSecond", "/s"),
    compared("CPU of the three processes for one of them, without stamps", "core", "cpuUs", " µs"),
    compared("the same, as shipped, minting included", "daemon", "cpuUs", " µs"),
  ];
}
