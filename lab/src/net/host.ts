import { fileURLToPath } from "node:url";
import { inside } from "./command.ts";
import { HostProcess } from "./host-process.ts";
import type { Lab } from "./lab.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FROM_SOURCE: readonly string[] = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
const READY_MS = 30_000;

export type Daemon = {
  readonly process: HostProcess;
  readonly id: string;
  readonly listen: string;
  /** Path of the local API's socket; of a node only. Paths are not part of a network namespace: it can be opened from anywhere. */
  readonly socket: string;
};

/** One machine of the laboratory: a namespace with one address. */
export class Host {
  readonly name: string;
  readonly namespace: string;
  /** Its address; of a host behind a router it changes with the kind of router. */
  ip: string;
  readonly #lab: Lab;

  constructor(lab: Lab, name: string, ip: string) {
    this.#lab = lab;
    this.name = name;
    this.namespace = lab.namespace(name);
    this.ip = ip;
  }

  /** Any program; it ends with the laboratory. */
  start(command: string, args: readonly string[], name: string = command): HostProcess {
    return this.#lab.track(new HostProcess(this.namespace, command, args, `${name}@${this.name}`));
  }

  /** Any program, to its end; resolves with its output. */
  run(command: string, args: readonly string[], input: Uint8Array | string = ""): Promise<string> {
    return inside(this.namespace, command, args, input);
  }

  /** A driver out of this folder, ready to be asked. */
  async driver(name: string, args: readonly string[] = []): Promise<HostProcess> {
    const path = `${ROOT}lab/src/drivers/${name}.ts`;
    const process = this.start(globalThis.process.execPath, [...FROM_SOURCE, path, ...args], name);
    await process.line("ready", (line) => line.type === "ready", READY_MS);
    return process;
  }

  /** `apps/node` or `apps/relay`, with a data directory of its own. */
  async daemon(program: "node" | "relay", args: readonly string[]): Promise<Daemon> {
    const main = `${ROOT}apps/${program}/src/main.ts`;
    const data = ["--data-dir", await this.#lab.makeFolder(`${this.name}-${program}`)];
    const process = this.start(globalThis.process.execPath, [...FROM_SOURCE, main, "start", ...data, ...args], program);
    const ready = await process.line("ready", (line) => line.msg === "ready", READY_MS);
    return { process, id: String(ready.id), listen: String(ready.listen), socket: String(ready.socket) };
  }
}
