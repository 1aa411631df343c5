import { type Figure, median, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { installPeers, versionOf } from "./install.ts";
import { quantile } from "./libp2p-relay.ts";
import { type Process, Processes } from "./processes.ts";

// Broadcasts among sixteen nodes, each side's in one process, in turn within each round, the author another one each time, the next
// broadcast when all have the last:
//   gossipsub   js-libp2p, TCP, Noise and yamux, gossipsub as it is by default (signed), each with as many connections as a node of ours
//   free        our cores over UDP, no stamps asked for
//   stamped     the same with the stamps that ship: an author mints before it sends
//
// Bytes are those of the loopback interface of a network namespace that each process has for itself, IP headers, acknowledgements and
// handshakes' upkeep included; what passes in the same time with nobody speaking is taken off, and told.

const NODES = 16;
const ROUNDS = 3;
const BROADCASTS = 10;
const SIZE_BYTES = 400;
const P99 = 0.99;
const IDLE_MS = 5_000;

const KINDS = ["gossipsub", "free", "stamped"] as const;
type Kind = (typeof KINDS)[number];
type Fleet = Process<{ readonly links: number }>;
type Wire = { readonly bytes: number; readonly packets: number };
type Answer = { readonly ms: readonly number[]; readonly tookMs: number; readonly wire: Wire | null };
type Sample = {
  readonly p50: number;
  readonly p99: number;
  /** Of IP, a delivery. */
  readonly bytes: number;
  readonly packets: number;
};
/** A millisecond of the whole fleet. */
type Idle = { readonly bytes: number; readonly packets: number };

export async function gossip(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const fault = await installPeers();
  if (fault !== undefined) {
    return [{ name: "a broadcast: beside gossipsub", unit: "x", samples: [], skipped: fault }];
  }
  const processes = new Processes();
  const samples: Record<Kind, Sample[]> = { gossipsub: [], free: [], stamped: [] };
  const idle: Record<Kind, Idle> = { gossipsub: NOTHING, free: NOTHING, stamped: NOTHING };
  let missing = 0;
  let links = "";
  try {
    const free = await processes.alone<{ readonly links: number }>("fleet-child.ts", String(NODES), "free");
    const stamped = await processes.alone<{ readonly links: number }>("fleet-child.ts", String(NODES), "stamped");
    // Half of what a node has, as each connection has two ends.
    const dials = String(Math.max(2, Math.round(free.ready.links / 2)));
    const gossipsub = await processes.alonePeer<{ readonly links: number }>("gossip.mjs", String(NODES), dials);
    const fleets: Record<Kind, Fleet> = { gossipsub, free, stamped };
    links = `${number(free.ready.links)} links a node beside ${number(gossipsub.ready.links)} connections`;
    for (const kind of KINDS) idle[kind] = await idleOf(fleets[kind]);
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const kind of KINDS) {
        const { ms, tookMs, wire } = await fleets[kind].ask<Answer>({
          type: "broadcast",
          count: BROADCASTS,
          sizeBytes: SIZE_BYTES,
        });
        const rest = idle[kind];
        const each = (key: keyof Wire): number => ((wire?.[key] ?? Number.NaN) - rest[key] * tookMs) / ms.length;
        if (round < 0) continue;
        missing += kind === "gossipsub" ? 0 : BROADCASTS * (NODES - 1) - ms.length;
        samples[kind].push({
          p50: median(ms),
          p99: quantile(ms, P99),
          bytes: each("bytes"),
          packets: each("packets"),
        });
      }
      progress(round + 2, ROUNDS + 1);
    }
  } finally {
    await processes.stop();
  }
  return figures(samples, idle, links, missing);
}

const NOTHING: Idle = { bytes: 0, packets: 0 };

async function idleOf(fleet: Fleet): Promise<Idle> {
  const { tookMs, wire } = await fleet.ask<Answer>({ type: "idle", ms: IDLE_MS });
  return wire === null ? NOTHING : { bytes: wire.bytes / tookMs, packets: wire.packets / tookMs };
}

function figures(
  samples: Record<Kind, readonly Sample[]>,
  idle: Record<Kind, Idle>,
  links: string,
  missing: number,
): Figure[] {
  const version = versionOf("@libp2p/gossipsub");
  const column = (kind: Kind, key: keyof Sample): number[] => samples[kind].map((sample) => sample[key]);
  const compared = (name: string, kind: "free" | "stamped", key: keyof Sample, unit: string): Figure => {
    const [mine, peer] = [column(kind, key), column("gossipsub", key)];
    const full = `a broadcast of ${SIZE_BYTES} B to ${NODES - 1} others: ${name}`;
    if (mine.concat(peer).some(Number.isNaN)) {
      return { name: full, unit: "x", samples: [], skipped: "no network namespace could be made (unshare, Linux)" };
    }
    return {
      name: full,
      unit: "x",
      samples: ratios(mine, peer),
      ours: `${number(median(mine))}${unit}`,
      peer: `${version}: ${number(median(peer))}${unit}`,
    };
  };
  const idleRate = (kind: Kind): number => (idle[kind].bytes * 1000) / NODES;
  return [
    compared("delivered, p50, without stamps", "free", "p50", " ms"),
    compared("the same, p99", "free", "p99", " ms"),
    compared("delivered, p50, minting included", "stamped", "p50", " ms"),
    compared("the same, p99", "stamped", "p99", " ms"),
    compared("bytes of IP a delivery", "stamped", "bytes", " B"),
    compared("packets a delivery", "stamped", "packets", ""),
    {
      name: `bytes of IP a second and node with nobody speaking (${links})`,
      unit: "x",
      samples: idle.gossipsub.bytes === 0 ? [] : [idle.stamped.bytes / idle.gossipsub.bytes],
      ...(idle.gossipsub.bytes === 0 ? { skipped: "no network namespace could be made (unshare, Linux)" } : {}),
      ours: `${number(idleRate("stamped"))} B/s`,
      peer: `${version}: ${number(idleRate("gossipsub"))} B/s`,
    },
    { name: "deliveries of ours that did not come within 10 s", unit: "", samples: [missing], target: { atMost: 0 } },
  ];
}
