import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, median, number } from "../figure.ts";
import { ratios } from "../race.ts";
import { installPeers, peerVersionOf } from "./install.ts";
import { Processes } from "./processes.ts";
import { KINDS, type Kind, measure, openTalks, type Sample } from "./relay-talk.ts";

// Through a relay, in turn within each round.

const ROUNDS = 3;
const LOAD = { pings: 50, pingBytes: 100, messages: 800, messageBytes: 800 };
/** Those that are stamped take as long as minting them. */
const STAMPED = { ...LOAD, messages: 160 };

export async function libp2pRelay(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const fault = await installPeers();
  const name = "through a relay: beside js-libp2p";
  if (fault !== undefined) return [{ name, unit: "x", samples: [], skipped: fault }];
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const processes = new Processes();
  const samples: Record<Kind, Sample[]> = { libp2p: [], core: [], daemon: [] };
  const streamed: number[] = [];
  try {
    const talks = await openTalks(processes, folder);
    const stream = { type: "stream", count: LOAD.messages, sizeBytes: LOAD.messageBytes };
    for (let round = -1; round < ROUNDS; round += 1) {
      const measured = {
        libp2p: await measure(talks.libp2p, LOAD),
        core: await measure(talks.core, LOAD),
        daemon: await measure(talks.daemon, STAMPED),
      };
      const { ms } = await talks.libp2p.end.ask<{ readonly ms: number }>(stream);
      if (round >= 0) {
        for (const kind of KINDS) samples[kind].push(measured[kind]);
        streamed.push((LOAD.messages * 1000) / ms);
      }
      progress(round + 2, ROUNDS + 1);
    }
  } finally {
    await processes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return figures(samples, streamed);
}

function figures(samples: Record<Kind, readonly Sample[]>, streamed: readonly number[]): Figure[] {
  const version = peerVersionOf("libp2p");
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
