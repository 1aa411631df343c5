import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { within } from "./deadline.ts";

// One daemon of the demonstration: a process of its own, started as anybody would start it.

const STOP_MS = 6000;

export type Ready = Readonly<Record<string, unknown>> & { readonly id: string; readonly listen: string };

export class DaemonProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ready: Promise<Ready>;
  readonly #ended: Promise<void>;
  #said = "";
  #stopping = false;

  /** `command` is what Node is told; `onCrash` hears of an end that nobody asked for. */
  constructor(name: string, command: readonly string[], onCrash: (message: string) => void) {
    this.name = name;
    // The IPC channel ends the daemon should this process die without a word.
    this.#child = spawn(process.execPath, command, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#ended = once(this.#child, "exit").then(([code, signal]: unknown[]) => {
      if (!this.#stopping) onCrash(`${name} ended by itself (${signal ?? `exit ${code}`}): ${this.#lastWords()}`);
    });
    this.#child.on("error", (error) => onCrash(`${name} did not start: ${error.message}`));
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#hear(chunk.toString()));
    this.#ready = this.#readLog();
    this.#ready.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the daemon says of itself once it serves. */
  ready(timeoutMs: number): Promise<Ready> {
    return within(timeoutMs, `${this.name} did not become ready`, this.#ready);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(killer);
  }

  #readLog(): Promise<Ready> {
    return new Promise((resolve) => {
      if (this.#child.stdout === null) return;
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        this.#hear(`${line}\n`);
        const entry = parseLine(line);
        if (entry?.msg === "ready") resolve(entry as Ready);
      });
    });
  }

  #hear(text: string): void {
    this.#said = (this.#said + text).slice(-4000);
  }

  #lastWords(): string {
    return this.#said.trim().split("\n").slice(-3).join(" | ") || "it said nothing";
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
