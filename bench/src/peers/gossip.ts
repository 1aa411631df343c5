import { type Figure, median, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { type Idle, idleOf, KINDS, type Kind, measure, NOTHING, openFleets, type Sample } from "./gossip-fleet.ts";
import { installPeers, peerVersionOf } from "./install.ts";
import { NO_NAMESPACE } from "./namespace.ts";
import { Processes } from "./processes.ts";

// Broadcasts among sixteen nodes, in turn within each round.

const NODES = 16;
const ROUNDS = 3;
const BROADCASTS = 10;
const SIZE_BYTES = 400;
const IDLE_MS = 5_000;

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
    const fleets = await openFleets(processes, NODES);
    const { gossipsub, free } = fleets;
    links = `${number(free.ready.links)} links a node beside ${number(gossipsub.ready.links)} connections`;
    for (const kind of KINDS) idle[kind] = await idleOf(fleets[kind], IDLE_MS);
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const kind of KINDS) {
        const sample = await measure(fleets[kind], { broadcasts: BROADCASTS, sizeBytes: SIZE_BYTES }, idle[kind]);
        if (round < 0) continue;
        missing += kind === "gossipsub" ? 0 : BROADCASTS * (NODES - 1) - sample.count;
        samples[kind].push(sample);
      }
      progress(round + 2, ROUNDS + 1);
    }
  } finally {
    await processes.stop();
  }
  return figures(samples, idle, links, missing);
}

function figures(
  samples: Record<Kind, readonly Sample[]>,
  idle: Record<Kind, Idle>,
  links: string,
  missing: number,
): Figure[] {
  const version = peerVersionOf("@libp2p/gossipsub");
  const column = (kind: Kind, key: keyof Sample): number[] => samples[kind].map((sample) => sample[key]);
  const compared = (name: string, kind: "free" | "stamped", key: keyof Sample, unit: string): Figure => {
    const [mine, peer] = [column(kind, key), column("gossipsub", key)];
    const full = `a broadcast of ${SIZE_BYTES} B to ${NODES - 1} others: ${name}`;
    if (mine.concat(peer).some(Number.isNaN)) {
      return { name: full, unit: "x", samples: [], skipped: NO_NAMESPACE };
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
      ...(idle.gossipsub.bytes === 0 ? { skipped: NO_NAMESPACE } : {}),
      ours: `${number(idleRate("stamped"))} B/s`,
      peer: `${version}: ${number(idleRate("gossipsub"))} B/s`,
    },
    { name: "deliveries of ours that did not come within 10 s", unit: "", samples: [missing], target: { atMost: 0 } },
  ];
}
