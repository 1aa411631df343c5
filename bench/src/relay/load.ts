import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// load.c: built, run, and what it says read.

/** Messages from one peer to another, by their place in the list of peers: a closed loop by its window, an open one by its rate. */
export type Flow = {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly window?: number;
  readonly perSecond?: number;
};

export type FlowResult = {
  readonly sent: number;
  readonly arrived: number;
  readonly again: number;
  readonly acked: number;
  readonly delaysMs: readonly number[];
};

export type LoadResult = {
  /** From the first message to the last SendAck. */
  readonly seconds: number;
  /** Datagrams. */
  readonly sent: number;
  readonly received: number;
  /** SendFails. */
  readonly refused: number;
  readonly flows: readonly FlowResult[];
};

export function buildLoad(folder: string): void {
  const source = fileURLToPath(new URL("./load.c", import.meta.url));
  execFileSync("cc", ["-O2", "-o", join(folder, "load"), source, "-lcrypto"]);
}

export async function runLoad(
  folder: string,
  how: {
    readonly port: number;
    readonly relayPort: number;
    /** How long it waits for what is still under way. */
    readonly graceSeconds: number;
    readonly lines: readonly string[];
    readonly flows: readonly Flow[];
  },
): Promise<LoadResult> {
  const flows = how.flows.map(
    ({ from, to, count, window = 0, perSecond = 0 }) => `${from} ${to} ${count} ${window} ${perSecond}`,
  );
  const args = [how.port, how.relayPort, how.graceSeconds].map(String);
  const child = spawn(join(folder, "load"), args, { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  child.stdin.end([how.lines.length, ...how.lines, flows.length, ...flows, ""].join("\n"));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`load: exit ${code}`);
  const [run = "", ...rest] = text.trim().split("\n");
  const [seconds = 0, sent = 0, received = 0, refused = 0] = numbers(run);
  return { seconds, sent, received, refused, flows: rest.map(flowResult) };
}

function flowResult(line: string): FlowResult {
  const [sent = 0, arrived = 0, again = 0, acked = 0, ...delaysUs] = numbers(line);
  return { sent, arrived, again, acked, delaysMs: delaysUs.map((us) => us / 1_000) };
}

function numbers(line: string): number[] {
  return line.split(" ").slice(1).map(Number);
}
