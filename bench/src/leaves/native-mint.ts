import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { MintTask } from "@starling/hashcash";

const SOURCE = fileURLToPath(new URL("../../native/mint.c", import.meta.url));
const run = promisify(execFile);

/** The C program of bench/native, compiled here and waiting for tasks. */
export type NativeMint = {
  /** "OpenSSL 3.0.19 …" */
  readonly version: string;
  mint(task: MintTask): Promise<{ nonce: string; hashes: number }>;
  stop(): Promise<void>;
};

/** Or why there is none. */
export async function startNativeMint(): Promise<NativeMint | string> {
  const folder = await mkdtemp(join(tmpdir(), "starling-bench-"));
  const program = join(folder, "mint");
  try {
    await run("cc", ["-O2", "-o", program, SOURCE, "-lcrypto"]);
  } catch (error) {
    await rm(folder, { recursive: true });
    const { code } = error as { code?: unknown };
    return code === "ENOENT" ? "there is no C compiler here" : "the headers of OpenSSL are not here (libssl-dev)";
  }
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the C program ended");
    return value;
  };
  return {
    version: (await next()).split(" ").slice(0, 2).join(" "),
    async mint({ digest, effort, startNonce }) {
      const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
      child.stdin.write(`${hex(digest)} ${effort} ${hex(startNonce)}\n`);
      const [nonce = "", hashes] = (await next()).split(" ");
      return { nonce, hashes: Number(hashes) };
    },
    async stop() {
      child.stdin.end();
      await rm(folder, { recursive: true });
    },
  };
}

/** Debian's `hashcash` (SHA-1), by its own measure: tests a second. Undefined where it is not installed. */
export function debianHashcash(): { version: string; rates: number[] } | undefined {
  // It measures for a millisecond, and its exit code says nothing.
  const ask = (flag: string): string => spawnSync("hashcash", [flag], { encoding: "utf8" }).stdout ?? "";
  const version = ask("-V").trim();
  if (version === "") return undefined;
  return { version, rates: Array.from({ length: 15 }, () => Number(ask("-s"))) };
}
