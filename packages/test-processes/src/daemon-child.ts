import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// Programs of this repository as processes, started from their sources as `npm start` starts them.

const APPS = fileURLToPath(new URL("../../../apps/", import.meta.url));
const FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
const DEADLINE_MS = 20_000;

export type Ended = { readonly code: number | string; readonly stdout: string; readonly stderr: string };
type LogLine = Readonly<Record<string, unknown>>;

/** Fails with what was waited for, instead of hanging. */
export async function within<T>(what: string, happening: Promise<T>, ms: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([happening, late]).finally(() => clearTimeout(timer));
}

export class DaemonChild {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: LogLine[] = [];
  #stdout = "";
  #stderr = "";
  #wake: () => void = () => {};

  /** `program` is a folder under apps, or the path of a file that runs as it is; `flags` are Node's. */
  constructor(program: string, args: readonly string[], flags: readonly string[] = []) {
    const isFile = program.includes("/");
    const main = isFile ? [program] : [...FLAGS, ...flags, `${APPS}${program}/src/main.ts`];
    this.process = spawn(process.execPath, [...main, ...args], {
      stdio: ["pipe", "pipe", "pipe", "ipc"],
    });
    this.process.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    if (this.process.stdout !== null) {
      createInterface({ input: this.process.stdout }).on("line", (line) => {
        this.#stdout += `${line}\n`;
        if (line.startsWith("{")) this.#lines.push(JSON.parse(line));
        this.#wake();
      });
    }
    // Not "close": it does not come for a child whose IPC channel was closed from here.
    const exited = once(this.process, "exit");
    const output = [this.process.stdout, this.process.stderr].map((stream) => stream && once(stream, "close"));
    this.ended = Promise.all([exited, ...output]).then(([[code, signal]]) => {
      this.#wake();
      return { code: code ?? signal ?? "", stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  /** The first log line that matches, come or still to come. */
  log(matches: (line: LogLine) => boolean, what: string): Promise<LogLine> {
    const search = async (): Promise<LogLine> => {
      for (;;) {
        const found = this.#lines.find(matches);
        if (found !== undefined) return found;
        if (this.process.exitCode !== null || this.process.signalCode !== null)
          throw new Error(`${what}: it ended first: ${this.#stderr}${this.#stdout}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    return within(what, search()).catch((error) => {
      throw new Error(`${error instanceof Error ? error.message : error}; so far: ${this.#stderr}${this.#stdout}`);
    });
  }

  async ready(): Promise<{ id: string; listen: string; socket: string; http: string }> {
    const { id, listen, socket, http } = await this.log(({ msg }) => msg === "ready", "ready");
    return { id: String(id), listen: String(listen), socket: String(socket), http: String(http) };
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.process.kill(signal);
    return within(`its end by ${signal}`, this.ended);
  }
}

/** Runs a command to its end. */
export async function run(program: "node" | "relay", args: readonly string[], input = ""): Promise<Ended> {
  const child = new DaemonChild(program, args);
  child.process.stdin?.end(input);
  return within(`${program} ${args[0]}`, child.ended);
}
