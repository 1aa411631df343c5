import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

// A network with nothing in it but its own loopback, which loses what it is told to: unshare and nsenter of util-linux, nft of nftables.
// Everybody may make one for himself; nothing of the machine's own network is touched.

export const NO_NAMESPACE = "no network namespace could be made (unshare, Linux)";

export class Namespace {
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** Undefined where this system allows none. */
  static async open(): Promise<Namespace | undefined> {
    // Without a program in it a namespace is gone; this one ends with its standard input.
    const script = "ip link set lo up && echo up && exec cat";
    const holder = spawn("unshare", ["--map-root-user", "--net", "sh", "-c", script], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const isUp = await Promise.race([
      once(holder.stdout, "data").then(() => true),
      once(holder, "close").then(
        () => false,
        () => false,
      ),
    ]);
    return isUp ? new Namespace(holder) : undefined;
  }

  /** What to start so that a program runs in it. */
  within(program: string, args: readonly string[]): [program: string, args: string[]] {
    const flags = ["--target", String(this.#holder.pid), "--user", "--preserve-credentials", "--net"];
    return ["nsenter", [...flags, program, ...args]];
  }

  /** From now on it loses this part, 0 to 1, of all packets, TCP's and UDP's alike; by chance, and not by a seed. Throws without nft. */
  lose(part: number): void {
    const rule = `numgen random mod 1000 < ${Math.round(part * 1000)} drop`;
    const chain = `table inet loss {\n chain in {\n type filter hook input priority 0\n ${rule}\n }\n}`;
    const [program, args] = this.within("nft", [`flush ruleset\n${part === 0 ? "" : chain}`]);
    const ran = spawnSync(program, args, { encoding: "utf8" });
    if (ran.status !== 0) throw new Error(ran.error?.message ?? ran.stderr.split("\n")[0]);
  }

  close(): void {
    this.#holder.stdin?.end();
  }
}

/** Why nothing can be lost here. */
export async function whyNoLoss(): Promise<string | undefined> {
  const namespace = await Namespace.open();
  if (namespace === undefined) return NO_NAMESPACE;
  try {
    namespace.lose(0.5);
    return undefined;
  } catch (error) {
    return `nothing can be lost on loopback here (nft of nftables): ${error instanceof Error ? error.message : error}`;
  } finally {
    namespace.close();
  }
}
