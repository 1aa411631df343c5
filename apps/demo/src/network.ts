import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DaemonProcess, type Ready } from "./daemon-process.ts";

// A relay and three nodes on free loopback ports, each in a process with a key and a data directory of its own.

const READY_MS = 30_000;
const NODES = 3;
const APPS = fileURLToPath(new URL("../../", import.meta.url));
const FROM_SOURCE = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
const SOURCES = {
  relay: [...FROM_SOURCE, `${APPS}relay/src/main.ts`],
  node: [...FROM_SOURCE, `${APPS}node/src/main.ts`],
};
const BUNDLES: typeof SOURCES = {
  relay: [`${APPS}relay/dist/bundle/starling-relay.js`],
  node: [`${APPS}node/dist/bundle/starling.js`],
};
type Program = keyof typeof SOURCES;

export type Member = {
  readonly name: string;
  readonly dataDir: string;
  readonly process: DaemonProcess;
  readonly ready: Ready;
};

export class NetworkLauncher {
  readonly #processes: DaemonProcess[] = [];
  readonly #isBundled: boolean;
  readonly #onCrash: (message: string) => void;
  #folder: string | undefined;

  /** Out of bundles, which are there, or from the sources. */
  constructor(isBundled: boolean, onCrash: (message: string) => void) {
    this.#isBundled = isBundled;
    this.#onCrash = onCrash;
  }

  async startRelay(): Promise<Member> {
    return this.#member("relay", "relay", ["--http", "127.0.0.1:0"]);
  }

  async startNodes(relay: Member): Promise<Member[]> {
    const bootstrap = ["--bootstrap", `${relay.ready.id}@${relay.ready.listen}`];
    const names = Array.from({ length: NODES }, (_, i) => `node-${i + 1}`);
    return Promise.all(
      names.map((name) =>
        this.#member(name, "node", name === "node-1" ? [...bootstrap, "--http", "127.0.0.1:0"] : bootstrap),
      ),
    );
  }

  /** Ends every process and removes what they wrote. May be called at any time, and again. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #member(name: string, program: Program, args: readonly string[]): Promise<Member> {
    this.#folder ??= await makeFolder();
    const dataDir = join(this.#folder, name);
    const common = ["start", "--data-dir", dataDir, "--listen", "127.0.0.1:0", "--network", "demo"];
    const command = (this.#isBundled ? BUNDLES : SOURCES)[program];
    const daemon = new DaemonProcess(name, [...command, ...common, ...args], this.#onCrash);
    this.#processes.push(daemon);
    return { name, dataDir, process: daemon, ready: await daemon.ready(READY_MS) };
  }
}

/** A folder of this process; those of processes that could not remove theirs go on the way. */
async function makeFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const [, owner] = /^starling-demo-(\d+)-/.exec(name) ?? [];
    if (owner !== undefined && !isAlive(Number(owner)))
      // Another user's stays.
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
  return mkdtemp(join(tmpdir(), `starling-demo-${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's, but there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
