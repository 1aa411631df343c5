import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";

// How long it takes from the first spawn of a daemon to an open channel between two nodes that know only a relay, on this machine:
// four processes, four keys made new, bootstrap, one relayed message, offer and answer over the relay, ICE, DTLS, SCTP.

const DEMO = fileURLToPath(new URL("../../apps/demo/src/main.ts", import.meta.url));
const RUNS = 10;

export async function firstChannel(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const open: number[] = [];
  const channel: number[] = [];
  // One more, not counted: it fills the caches that every later start has.
  for (let run = -1; run < RUNS; run += 1) {
    const steps = await playDemo();
    if (run >= 0) {
      open.push(steps.get("channel-open")?.ms ?? Number.NaN);
      channel.push(steps.get("channel-open")?.openMs ?? Number.NaN);
    }
    progress(run + 2, RUNS + 1);
  }
  return [
    { name: "first spawn of a daemon to the open channel", unit: "ms", samples: open, target: { atMost: 1500 } },
    { name: "a channel between running nodes", unit: "ms", samples: channel, target: { atMost: 400 } },
  ];
}

type Step = { readonly step: string; readonly ms: number; readonly openMs?: number };

async function playDemo(): Promise<Map<string, Step>> {
  const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
  const child = spawn(process.execPath, [...flags, DEMO, "--once", "--json", "--bundled"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const steps = new Map<string, Step>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const step: Step = JSON.parse(line);
    steps.set(step.step, step);
  });
  // Not its exit, after which lines may still be on their way.
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the demonstration failed: ${JSON.stringify(steps.get("done"))}`);
  return steps;
}
