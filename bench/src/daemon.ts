import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createNode } from "@starling/node";
import { APP, BUNDLE, DaemonProcess } from "./daemon-node.ts";
import { talk } from "./daemon-talk.ts";
import type { Figure } from "./figure.ts";

// The daemon as people install it: out of the bundle.

type Progress = (done: number, of: number) => void;

const STARTS = 10;
const PEERS = 32;
const IDLE_MS = 30_000;
const KILLS = 200;

export async function daemon(progress: Progress): Promise<Figure[]> {
  run(process.execPath, [join(APP, "bundle.mjs")]);
  return [...(await talk(progress)), await starts(progress), ...(await idle(progress)), install()];
}

/** Takes minutes, most of them starts, so it has a name of its own. */
export async function daemonKills(): Promise<Figure[]> {
  run(process.execPath, [join(APP, "bundle.mjs")]);
  const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
  const program = join(APP, "test/support/kills.ts");
  const seed = String(Date.now() % 1_000_000);
  const child = spawn(process.execPath, [...flags, program, String(KILLS), seed, BUNDLE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await once(child, "close");
  if (output === "") throw new Error(`the kills with seed ${seed} came to no end`);
  const { problems, receipted, redelivered } = JSON.parse(output);
  for (const problem of problems) process.stderr.write(`seed ${seed}: ${problem}\n`);
  const name = `${KILLS} kill -9 under traffic: messages lost or delivered twice, keys changed (${receipted} receipts, ${redelivered} given again, marked)`;
  return [{ name, unit: "", samples: [problems.length], target: { atMost: 0 } }];
}

async function starts(progress: Progress): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const samples: number[] = [];
  for (let i = -1; i < STARTS; i += 1) {
    const start = performance.now();
    const child = new DaemonProcess(folder);
    await child.ready;
    if (i >= 0) samples.push(performance.now() - start);
    await child.stop();
    progress(i + 1, STARTS);
  }
  rmSync(folder, { recursive: true, force: true });
  return { name: "start of the process to ready", unit: "ms", samples, target: { atMost: 600 } };
}

async function idle(progress: Progress): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const child = new DaemonProcess(folder);
  const { id, listen } = await child.ready;
  const bootstrap = [`${id}@${listen}`];
  const options = { listen: "127.0.0.1:0", network: "bench", bootstrap, maxChannels: 0 };
  const peers = [];
  for (let i = 0; i < PEERS; i += 1) {
    const peer = await createNode(options);
    await peer.client.connectPeer(id, listen);
    peers.push(peer);
    progress(i + 1, PEERS);
  }
  await pause(5000);
  const [cpuMs, startMs] = [child.cpuMs(), performance.now()];
  await pause(IDLE_MS);
  const share = ((child.cpuMs() - cpuMs) * 100) / (performance.now() - startMs);
  const residentMb = child.residentMb();
  await Promise.all(peers.map((peer) => peer.close()));
  await child.stop();
  rmSync(folder, { recursive: true, force: true });
  const skipped = Number.isNaN(share) ? { skipped: "this system has no /proc" } : {};
  return [
    {
      name: `idle with ${PEERS} peers: processor, of a core`,
      unit: "%",
      samples: [share],
      target: { atMost: 1 },
      ...skipped,
    },
    {
      name: `idle with ${PEERS} peers: resident memory`,
      unit: "MB",
      samples: [residentMb],
      target: { atMost: 130 },
      ...skipped,
    },
  ];
}

/** What `npm install` of the packed program lays down. */
function install(): Figure {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const pnpm = join(dirname(createRequire(import.meta.url).resolve("pnpm/package.json")), "bin/pnpm.mjs");
  run(process.execPath, [pnpm, "pack", "--pack-destination", folder], APP);
  const [tarball = ""] = readdirSync(folder);
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), "{}");
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, tarball)], project);
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const installed = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(([path]) => path !== "");
  rmSync(folder, { recursive: true, force: true });
  if (installed.some(([, { hasInstallScript }]) => hasInstallScript))
    throw new Error("a package has an install script");
  const name = "packages that an install lays down, none with an install script";
  return { name, unit: "packages", samples: [installed.length], target: { atMost: 3 } };
}

function run(command: string, args: readonly string[], cwd: string = APP): void {
  const { status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}${stdout}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
