import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MeshRunOptions } from "./run.ts";

// Cells of a mesh, each in a process of its own, kept under the digest of the sources that decide them: a report that was stopped
// goes on where it was.

const SOURCE_DIRS = ["../../../peer-manager/src/broadcast", "."];
const SOURCE_FILES = ["../event-queue.ts", "../latency.ts", "../seeded-random.ts", "../statistics.ts"];

export type Figures = Readonly<Record<string, number>>;

export function cellFigures(options: MeshRunOptions, dir: string): Figures {
  const own = join(dir, `mesh-${sourcesDigest()}`);
  mkdirSync(own, { recursive: true });
  // Infinity has no JSON.
  const text = JSON.stringify(options, (_, value) => (value === Number.POSITIVE_INFINITY ? 1e9 : value));
  const path = join(own, `${createHash("sha256").update(text).digest("hex").slice(0, 16)}.json`);
  if (!existsSync(path)) {
    process.stderr.write(`sim: ${text}\n`);
    const main = fileURLToPath(new URL("../main.ts", import.meta.url));
    const args = [...process.execArgv, main, "broadcast", "--cell", text];
    const ran = spawnSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    if (ran.status !== 0) throw new Error(`${text}: it gave no result`);
    writeFileSync(path, ran.stdout);
  }
  return JSON.parse(readFileSync(path, "utf8")) as Figures;
}

function sourcesDigest(): string {
  const hash = createHash("sha256");
  for (const file of SOURCE_FILES) hash.update(readFileSync(new URL(file, import.meta.url)));
  for (const source of SOURCE_DIRS) {
    const dir = fileURLToPath(new URL(source, import.meta.url));
    // What decides which cells are run decides nothing in them.
    const files = readdirSync(dir, { encoding: "utf8" }).filter((file) => !/rows|cells|report|plot/.test(file));
    for (const file of files.sort()) {
      if (file.endsWith(".ts")) hash.update(file).update(readFileSync(join(dir, file)));
    }
  }
  return hash.digest("hex").slice(0, 12);
}
