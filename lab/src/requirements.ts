// What the laboratory needs of a machine. Where something is missing, it is skipped, and says why.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command, tryCommand } from "./net/command.ts";
import { nameOfRun, removeNamespaces } from "./net/namespaces.ts";
import { natRules } from "./net/nat.ts";

const NATIVE = fileURLToPath(new URL("../native/", import.meta.url));
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/starling/lab/", import.meta.url));
/** Program, and the Debian package it is in. */
const TOOLS: readonly (readonly [string, string])[] = [
  ["ip", "iproute2"],
  ["nft", "nftables"],
  ["conntrack", "conntrack"],
  ["ethtool", "ethtool"],
  ["cc", "gcc libc6-dev"],
];

/** Why the laboratory cannot run here; undefined when it can. */
export async function whyNot(): Promise<string | undefined> {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "it needs root, to make network namespaces";
  const missing: string[] = [];
  for (const [tool, debianPackage] of TOOLS) {
    if ((await tryCommand("sh", ["-c", `command -v ${tool}`])).code !== 0) missing.push(debianPackage);
  }
  if (missing.length > 0) return `not installed: ${missing.join(" ")} (apt-get install -y ${missing.join(" ")})`;
  return whyNoNamespaces();
}

async function whyNoNamespaces(): Promise<string | undefined> {
  const prefix = nameOfRun();
  const name = `${prefix}probe`;
  try {
    await command("ip", ["netns", "add", name]);
    await command("ip", ["netns", "exec", name, "nft", "-f", "-"], natRules("addr", { timeoutS: 60, refuses: true }));
    return undefined;
  } catch (error) {
    return `no network namespaces with nftables here: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await removeNamespaces(prefix);
  }
}

/** Compiles native/ where that was not done yet; the folder of the programs. */
export async function compilePrograms(): Promise<string> {
  const sources = ["wire", "spoof"].map((name) => ({ name, path: join(NATIVE, `${name}.c`) }));
  const digest = createHash("sha256");
  for (const { path } of sources) digest.update(readFileSync(path));
  const folder = join(CACHE, digest.digest("hex").slice(0, 16));
  mkdirSync(folder, { recursive: true });
  for (const { name, path } of sources) {
    const program = join(folder, name);
    if (existsSync(program)) continue;
    // Under a name of its own first: another run may be doing the same.
    const fresh = `${program}.${process.pid}`;
    await command("cc", ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", fresh, path]);
    renameSync(fresh, program);
  }
  return folder;
}
