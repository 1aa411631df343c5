import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { versionOf } from "../version-of.ts";

// The peers are not dependencies of this workspace, whose install would pay for them: bench/peers has its own package.json and lock
// file, and they are laid down there by npm the first time that they are measured. No script of theirs is run.

const FOLDER = new URL("../../peers/", import.meta.url);
const DONE = new URL("node_modules/.installed", FOLDER);
const PROGRESS_MS = 5_000;

/** Undefined once they are there, or why they are not. */
export async function installPeers(): Promise<string | undefined> {
  const lock = readFileSync(new URL("package-lock.json", FOLDER), "utf8");
  if (existsSync(DONE) && readFileSync(DONE, "utf8") === lock) return undefined;
  process.stderr.write("bench: installing what is measured beside (180 packages, 90 MB, once) into bench/peers\n");
  const start = performance.now();
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  const npm = spawn("npm", ["ci", ...flags], {
    cwd: fileURLToPath(FOLDER),
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
  }
  const timer = setInterval(
    () => process.stderr.write(`\rinstalling, ${Math.round((performance.now() - start) / 1000)} s `),
    PROGRESS_MS,
  );
  const [code] = await once(npm, "close").catch((error: Error) => {
    said = error.message;
    return [1];
  });
  clearInterval(timer);
  process.stderr.write("\n");
  if (code === 0) {
    writeFileSync(DONE, lock);
    return undefined;
  }
  process.stderr.write(
    `${said}\nbench: npm ci in bench/peers failed (above: what npm said); it needs the npm registry\n`,
  );
  return "the peers could not be installed; npm ci in bench/peers says why";
}

/** "libp2p 3.3.11", as it is installed. */
export function peerVersionOf(name: string): string {
  return versionOf(name, FOLDER);
}
