import { grow, type Place, type Plan } from "../grow.ts";
import type { Growth } from "../growth.ts";
import { type Dialled, openDials, WAYS, type Way } from "./dials.ts";
import { installPeers, peerVersionOf } from "./install.ts";
import { Namespace, whyNoLoss } from "./namespace.ts";
import { LOSS, LOST, nodesOver } from "./parameters.ts";
import { Processes } from "./processes.ts";

// Dials of new keys, a dial a round, by the number of nodes that know the way, and by what is lost.

const NODES = nodesOver("nodes of the DHT beside as many relays", [5, 10, 20, 40]);
const USUAL_NODES = 10;
const WARM_UPS = 2;

export async function hyperdhtGrowth(progress: (done: number, of: number) => void): Promise<Growth[]> {
  const plan: Omit<Plan<Way, Dialled>, "open" | "isApart"> = {
    names: { hyperdht: "HyperDHT", relays: "Starling, over relays", channel: "Starling, over a new channel" },
    rounds: 9,
    charts: [
      { name: "stream or channel open", unit: "ms", of: ({ openMs }) => openMs },
      { name: "first byte back, first receipt", unit: "ms", of: ({ firstByteMs }) => firstByteMs },
    ],
    whyNot: installPeers,
    versions: () => `HyperDHT: ${peerVersionOf("hyperdht")}.`,
    progress,
  };
  const note = `${USUAL_NODES} nodes beside ${USUAL_NODES} relays. ${LOST}`;
  return [
    await grow(
      { name: "nodes", title: "A key not known before, by the number of nodes", over: NODES, note: "Nothing is lost." },
      { ...plan, isApart: true, open: (nodes) => openPlace(nodes) },
    ),
    await grow(
      { name: "loss", title: "A key not known before, by what is lost", over: LOSS, note },
      {
        ...plan,
        isApart: false,
        whyNot: async () => (await installPeers()) ?? (await whyNoLoss()),
        open: openLossy,
      },
    ),
  ];
}

async function openLossy(): Promise<Place<Way, Dialled>> {
  const namespace = await Namespace.open();
  const place = await openPlace(USUAL_NODES, namespace);
  return { ...place, set: (percent) => namespace?.lose(percent / 100) };
}

async function openPlace(nodes: number, namespace?: Namespace): Promise<Place<Way, Dialled>> {
  const processes = new Processes(namespace);
  const measure = await openDials(processes, nodes);
  // The first point is not to be the one at which code is still cold.
  for (let i = 0; i < WARM_UPS; i += 1) for (const way of WAYS) await measure(way);
  return { measure, close: () => processes.stop() };
}
