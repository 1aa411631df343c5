import { grow, type Place, type Plan } from "../grow.ts";
import type { Growth } from "../growth.ts";
import { idleOf, KINDS, type Kind, measure, NOTHING, openFleets, type Sample } from "./gossip-fleet.ts";
import { installPeers, peerVersionOf } from "./install.ts";
import { whyNoLoss } from "./namespace.ts";
import { LOSS, LOST, nodesOver, sizeOver } from "./parameters.ts";
import { Processes } from "./processes.ts";

// A broadcast by the number of nodes, by its size and by what is lost: few broadcasts at each point.

const NODES = nodesOver("nodes, each side's in one process", [4, 8, 16, 32]);
/** The greatest that a broadcast of ours holds is 16,384 B. */
const SIZE = sizeOver("content of a broadcast", [100, 1_000, 4_000, 16_000]);
const USUAL_NODES = 16;
const USUAL_BYTES = 400;
const BROADCASTS = 5;
const IDLE_MS = 3_000;
const WARM_UPS = 2;

const DELIVERED: Plan<Kind, Sample>["charts"] = [
  { name: "delivered, p50", unit: "ms", of: ({ p50 }) => p50 },
  { name: "delivered, p99", unit: "ms", of: ({ p99 }) => p99 },
  { name: "bytes of IP a delivery", unit: "B", of: ({ bytes }) => bytes },
];
const PACKETS = { name: "packets a delivery", unit: "", of: ({ packets }: Sample) => packets };
const IN_TIME = {
  name: "delivered within 10 s",
  unit: "%",
  of: ({ count }: Sample) => (100 * count) / (BROADCASTS * (USUAL_NODES - 1)),
};

export async function gossipGrowth(progress: (done: number, of: number) => void): Promise<Growth[]> {
  const plan: Omit<Plan<Kind, Sample>, "open"> = {
    names: { gossipsub: "gossipsub", free: "Starling, without stamps", stamped: "Starling, as shipped" },
    rounds: 3,
    charts: [...DELIVERED, PACKETS],
    isApart: false,
    whyNot: installPeers,
    versions: () => `gossipsub: ${peerVersionOf("@libp2p/gossipsub")} on ${peerVersionOf("libp2p")}.`,
    progress,
  };
  const [among, each] = [`${USUAL_NODES} nodes`, `${USUAL_BYTES} B each`];
  return [
    await grow(
      { name: "nodes", title: "A broadcast, by the number of nodes", over: NODES, note: `${each}.` },
      { ...plan, isApart: true, open: (nodes) => openPlace(nodes, () => USUAL_BYTES) },
    ),
    await grow(
      { name: "size", title: "A broadcast, by its size", over: SIZE, note: `${among}.` },
      { ...plan, open: () => openPlace(USUAL_NODES, (sizeBytes) => sizeBytes) },
    ),
    await grow(
      { name: "loss", title: "A broadcast, by what is lost", over: LOSS, note: `${among}, ${each}. ${LOST}` },
      {
        ...plan,
        charts: [...DELIVERED, IN_TIME],
        whyNot: async () => (await installPeers()) ?? (await whyNoLoss()),
        open: () => openPlace(USUAL_NODES, () => USUAL_BYTES, { isLossy: true }),
      },
    ),
  ];
}

async function openPlace(
  nodes: number,
  sizeAt: (value: number) => number,
  { isLossy = false }: { readonly isLossy?: boolean } = {},
): Promise<Place<Kind, Sample>> {
  const processes = new Processes();
  const fleets = await openFleets(processes, nodes);
  const idle = { gossipsub: NOTHING, free: NOTHING, stamped: NOTHING };
  for (const kind of KINDS) idle[kind] = await idleOf(fleets[kind], IDLE_MS);
  const measureWith = (kind: Kind, sizeBytes: number): Promise<Sample> =>
    measure(fleets[kind], { broadcasts: BROADCASTS, sizeBytes }, idle[kind]);
  // The first point is not to be the one at which code is still cold.
  for (let i = 0; i < WARM_UPS; i += 1) for (const kind of KINDS) await measureWith(kind, USUAL_BYTES);
  return {
    set: (value) => {
      if (isLossy) for (const kind of KINDS) fleets[kind].namespace?.lose(value / 100);
    },
    measure: (kind, value) => measureWith(kind, sizeAt(value)),
    close: () => processes.stop(),
  };
}
