import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type NodeId, parseNodeId } from "@starling/crypto-identity";
import { within } from "@starling/lab/deadline";
import { type Address, parseAddress } from "@starling/wire-protocol/address";

// A relay or node as anybody would start it, from the sources, in a process of its own; with what it costs and what it says.

const APPS = fileURLToPath(new URL("../../apps/", import.meta.url));
const FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
const READY_MS = 60_000;
const STOP_MS = 8_000;
/** Of the scheduler: Linux tells processor time in hundredths of a second. */
const TICK_MS = 10;
// BOUNDED: bytes of its output that are kept; a log under attack is rationed by the daemon itself.
const KEPT_BYTES = 32 * 1024 * 1024;

export class Daemon {
  readonly name: string;
  readonly #program: "relay" | "node";
  readonly #args: readonly string[];
  #child: ChildProcess;
  #ready: Promise<Readonly<Record<string, unknown>>>;
  #facts: Readonly<Record<string, unknown>> = {};
  #isStopping = false;
  #hasDied = false;
  /** All that it wrote to standard output and error, as it is. */
  #said: Buffer[] = [];
  #saidBytes = 0;

  private constructor(name: string, program: "relay" | "node", args: readonly string[]) {
    this.name = name;
    this.#program = program;
    this.#args = args;
    [this.#child, this.#ready] = this.#spawn();
  }

  /** Starts at once; serves once `whenReady` resolves. */
  static start(name: string, program: "relay" | "node", args: readonly string[]): Daemon {
    return new Daemon(name, program, args);
  }

  async whenReady(): Promise<void> {
    this.#facts = await this.#ready;
  }

  get id(): NodeId {
    return parseNodeId(String(this.#facts.id));
  }

  get address(): Address {
    return parseAddress(String(this.#facts.listen));
  }

  get dataDir(): string {
    return this.#args[this.#args.indexOf("--data-dir") + 1] ?? "";
  }

  get socket(): string {
    return String(this.#facts.socket);
  }

  get http(): string {
    return String(this.#facts.http);
  }

  /** It ended, and nobody here asked it to. */
  get hasDied(): boolean {
    return this.#hasDied;
  }

  /** Everything it wrote since `from`, a length told before. */
  saidSince(from = 0): Buffer {
    return Buffer.concat(this.#said).subarray(from);
  }

  get saidBytes(): number {
    return this.#saidBytes;
  }

  /** Of the process in all, in milliseconds; NaN where the system does not tell. */
  cpuMs(): number {
    const fields = this.#proc("stat").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  residentMb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(this.#proc("status"))?.[1]) / 1024;
  }

  /** Sockets that the process has open; NaN where the system does not tell. */
  socketCount(): number {
    const folder = `/proc/${this.#child.pid}/fd`;
    try {
      return readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`).startsWith("socket:")).length;
    } catch {
      return Number.NaN;
    }
  }

  /** Sum of the samples of a metric whose line holds `label`; of a relay. */
  async metric(name: string, label = ""): Promise<number> {
    const response = await fetch(`http://${this.http}/metrics`);
    let sum = 0;
    for (const line of (await response.text()).split("\n")) {
      const isNamed = line.startsWith(`${name}{`) || line.startsWith(`${name} `);
      if (isNamed && line.includes(label)) sum += Number(line.slice(line.lastIndexOf(" ") + 1));
    }
    return sum;
  }

  /** Ends it by SIGKILL or in order, and starts it on the same directory and port. */
  async restart(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#end(signal);
    this.#isStopping = false;
    [this.#child, this.#ready] = this.#spawn();
    await this.whenReady();
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  lastWords(): string {
    return Buffer.concat(this.#said.slice(-8)).toString().trim().split("\n").slice(-4).join(" | ");
  }

  #spawn(): [ChildProcess, Promise<Readonly<Record<string, unknown>>>] {
    // The IPC channel ends the daemon should this process die without a word.
    const child = spawn(process.execPath, [...FLAGS, `${APPS}${this.#program}/src/main.ts`, ...this.#args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const hear = (chunk: Buffer) => {
      this.#saidBytes += chunk.length;
      if (this.#saidBytes <= KEPT_BYTES) this.#said.push(chunk);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    const ready = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => {
        this.#hasDied = !this.#isStopping;
        reject(new Error(`${this.name} ended: ${this.lastWords()}`));
      });
      if (child.stdout === null) return;
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.includes('"msg":"ready"')) resolve(JSON.parse(line));
      });
    });
    ready.catch(() => undefined);
    return [child, within(READY_MS, `${this.name} becoming ready`, ready)];
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.#isStopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(killer);
  }

  #proc(name: string): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${name}`, "utf8");
    } catch {
      return "";
    }
  }
}

/** Empty for a descriptor that was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
