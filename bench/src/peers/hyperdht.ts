import { type Figure, median, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { type Dialled, openDials, WAYS, type Way } from "./dials.ts";
import { installPeers, peerVersionOf } from "./install.ts";
import { Processes } from "./processes.ts";

// Keys that nobody has heard of before, on loopback, beside ten nodes, each way in turn.

const DIALS = 20;
const NODES = 10;

export async function hyperdht(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const fault = await installPeers();
  const name = "a key not known before: beside HyperDHT";
  if (fault !== undefined) return [{ name, unit: "x", samples: [], skipped: fault }];
  const processes = new Processes();
  const dialled: Record<Way, Dialled[]> = { hyperdht: [], relays: [], channel: [] };
  try {
    const dial = await openDials(processes, NODES);
    for (let round = -1; round < DIALS; round += 1) {
      for (const way of WAYS) {
        const sample = await dial(way);
        if (round >= 0) dialled[way].push(sample);
      }
      progress(round + 2, DIALS + 1);
    }
  } finally {
    await processes.stop();
  }
  const column = (way: Way, key: keyof Dialled): number[] => dialled[way].map((sample) => sample[key]);
  const compared = (what: string, way: Way, key: keyof Dialled): Figure => {
    const [mine, peer] = [column(way, key), column("hyperdht", key)];
    return {
      name: `a key not known before: ${what}`,
      unit: "x",
      samples: ratios(mine, peer),
      ours: `${number(median(mine))} ms`,
      peer: `${peerVersionOf("hyperdht")}: ${number(median(peer))} ms`,
    };
  };
  return [
    compared("first receipt, over relays, to its first byte back, over a direct stream", "relays", "firstByteMs"),
    compared("open channel to its open stream", "channel", "openMs"),
    compared("first receipt over that channel to its first byte back", "channel", "firstByteMs"),
  ];
}
