import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DaemonProcess, type Ready } from "./daemon-process.ts";

// A relay and three nodes on free loopback ports, each in a process with a key and a data directory of its own.

const READY_MS = 30_000;
const NODES = 3;

export type Member = { readonly name: string; readonly process: DaemonProcess; readonly ready: Ready };

export type LocalNetwork = {
  readonly relay: Member;
  readonly nodes: readonly Member[];
};

export class NetworkLauncher {
  readonly #processes: DaemonProcess[] = [];
  readonly #onCrash: (message: string) => void;
  #folder: string | undefined;

  constructor(onCrash: (message: string) => void) {
    this.#onCrash = onCrash;
  }

  async startRelay(): Promise<Member> {
    return this.#member("relay", "relay", ["--http", "127.0.0.1:0"]);
  }

  async startNodes(relay: Member): Promise<Member[]> {
    const bootstrap = ["--bootstrap", `${relay.ready.id}@${relay.ready.listen}`];
    const names = Array.from({ length: NODES }, (_, i) => `node-${i + 1}`);
    return Promise.all(names.map((name) => this.#member(name, "node", bootstrap)));
  }

  /** Ends every process and removes what they wrote. May be called at any time, and again. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #member(name: string, program: string, args: readonly string[]): Promise<Member> {
    this.#folder ??= await mkdtemp(join(tmpdir(), "starling-demo-"));
    const common = ["start", "--data-dir", join(this.#folder, name), "--listen", "127.0.0.1:0", "--network", "demo"];
    const process = new DaemonProcess(name, program, [...common, ...args], this.#onCrash);
    this.#processes.push(process);
    return { name, process, ready: await process.ready(READY_MS) };
  }
}
