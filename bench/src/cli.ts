import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { APP, BUNDLE, DaemonProcess } from "./daemon-node.ts";
import { type Figure, median, number } from "./figure.ts";

// How long a person waits for `starling status`: from the spawn of its process to the first byte of its answer. Beside it, in the
// same rounds, a Node that starts and ends with nothing to do, which no program on Node is faster than.

const RUNS = 10;
const SOURCE: readonly string[] = [
  "--disable-warning=ExperimentalWarning",
  "--conditions=@starling/source",
  fileURLToPath(new URL("../../apps/node/src/main.ts", import.meta.url)),
];

export async function cli(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const built = spawnSync(process.execPath, [join(APP, "bundle.mjs")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the bundle could not be made: ${built.stderr}`);
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const daemon = new DaemonProcess(folder);
  const bare: number[] = [];
  const bundle: number[] = [];
  const source: number[] = [];
  try {
    await daemon.ready;
    // One more, not counted: it fills the caches that every later start has.
    for (let run = -1; run < RUNS; run += 1) {
      const [nothing, installed, fromSource] = [
        await answerMs(["-e", "console.log(0)"]),
        await answerMs([BUNDLE, "status", "--data-dir", folder]),
        await answerMs([...SOURCE, "status", "--data-dir", folder]),
      ];
      if (run >= 0) {
        bare.push(nothing);
        bundle.push(installed);
        source.push(fromSource);
      }
      progress(run + 2, RUNS + 1);
    }
  } finally {
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const peer = `node ${process.version} -e 'console.log(0)': ${number(median(bare))} ms`;
  const told = (samples: readonly number[]) => ({ unit: "ms", samples, ours: `${number(median(samples))} ms`, peer });
  return [
    { name: "`starling status` to its answer, as installed", ...told(bundle), target: { atMost: 250 } },
    { name: "`starling status` to its answer, from the sources of this repository", ...told(source) },
  ];
}

/** From the spawn to the first byte; it must end well. */
async function answerMs(args: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [first] = await Promise.race([once(child.stdout, "data"), exited]);
  const ms = performance.now() - startedMs;
  child.stdout.resume();
  const [code] = await exited;
  if (typeof first === "number" || code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
  return ms;
}
