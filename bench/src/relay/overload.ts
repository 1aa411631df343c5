import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeId } from "@starling/crypto-identity";
import { ask } from "../child.ts";
import { type Figure, median } from "../figure.ts";
import { buildLoad, type Flow, type FlowResult, runLoad } from "./load.ts";
import { openPeers } from "./peers.ts";

// Twelve peers of a relay that forwards 2,000 messages a second of each link at most. Ten send each other 10 a second; two offer
// 20,000 a second to those ten. Each round once without the two and once with them.

const RELAY = fileURLToPath(new URL("../../../apps/relay/src/main.ts", import.meta.url));
const MAX_FORWARD = 2_000;
const HONEST = 10;
const HOSTILE = 2;
const HONEST_PER_SECOND = 10;
const OFFERED_PER_SECOND = 20_000;
const SECONDS = 8;
const ROUNDS = 4;
const GRACE_SECONDS = 2;

type Sample = { readonly goodput: number; readonly p99Ms: number; readonly offeredPerSecond: number };

const PEERS = Array.from({ length: HONEST }, (_, at) => at);
const HONEST_FLOWS: readonly Flow[] = PEERS.map((from) => ({
  ...{ from, to: (from + 1) % HONEST, perSecond: HONEST_PER_SECOND, count: HONEST_PER_SECOND * SECONDS },
}));
const HOSTILE_FLOWS: readonly Flow[] = PEERS.flatMap((to) =>
  Array.from({ length: HOSTILE }, (_, at) => {
    const perSecond = OFFERED_PER_SECOND / HOSTILE / HONEST;
    return { from: HONEST + at, to, perSecond, count: perSecond * SECONDS };
  }),
);

export async function relayOverload(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const child = fork(RELAY, ["bench", "--child", `limited:${MAX_FORWARD}`, "--data-dir", join(folder, "relay")], {
    execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"],
  });
  const quiet: Sample[] = [];
  const loaded: Sample[] = [];
  try {
    buildLoad(folder);
    const relay = await ask<{ readonly port: number; readonly id: NodeId }>(child);
    // The first round warms the code up and is not counted.
    for (let round = -1; round < ROUNDS; round += 1) {
      const samples = [await measure(folder, relay, []), await measure(folder, relay, HOSTILE_FLOWS)] as const;
      progress(round + 2, ROUNDS + 1);
      if (round < 0) continue;
      quiet.push(samples[0]);
      loaded.push(samples[1]);
    }
  } finally {
    child.disconnect();
    await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
  const text = (samples: readonly Sample[]): string => `${median(samples.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms`;
  return [
    {
      name: `relay, 2 of 12 links offering ${OFFERED_PER_SECOND.toLocaleString("en-US")}/s: messages of the others that arrive`,
      unit: "%",
      samples: loaded.map(({ goodput }) => 100 * goodput),
      target: { atLeast: 95 },
    },
    {
      name: "their delay, 99th percentile, to that without the two",
      unit: "x",
      samples: loaded.map(({ p99Ms }, round) => p99Ms / (quiet[round]?.p99Ms ?? Number.NaN)),
      target: { atMost: 3 },
      ours: text(loaded),
      peer: text(quiet),
    },
    {
      name: "messages that the two could offer",
      unit: "/s",
      samples: loaded.map(({ offeredPerSecond }) => offeredPerSecond),
    },
  ];
}

async function measure(
  folder: string,
  relay: { readonly port: number; readonly id: NodeId },
  hostile: readonly Flow[],
): Promise<Sample> {
  const { port, lines } = await openPeers(relay, "bench", HONEST + HOSTILE);
  const flows = [...HONEST_FLOWS, ...hostile];
  const load = await runLoad(folder, { port, relayPort: relay.port, graceSeconds: GRACE_SECONDS, lines, flows });
  const honest = load.flows.slice(0, HONEST);
  const delays = honest.flatMap(({ delaysMs }) => delaysMs).toSorted((a, b) => a - b);
  return {
    goodput: sum(honest, "arrived") / (HONEST * HONEST_PER_SECOND * SECONDS),
    p99Ms: delays[Math.floor(0.99 * delays.length)] ?? Number.NaN,
    offeredPerSecond: sum(load.flows.slice(HONEST), "sent") / SECONDS,
  };
}

function sum(flows: readonly FlowResult[], key: "arrived" | "sent"): number {
  return flows.reduce((total, flow) => total + flow[key], 0);
}
