// A program in a host's namespace. What it says on standard output is lines of JSON; waiting for one has a deadline.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { within } from "../deadline.ts";

export type Line = Readonly<Record<string, unknown>>;

const ANSWER_MS = 20_000;
const STOP_MS = 8_000;

export class HostProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: Line[] = [];
  // BOUNDED: by the waits of one scenario.
  readonly #waiting: Set<() => void> = new Set();
  #isStopping = false;
  #hasEnded = false;
  #said = "";
  #asked = 0;

  constructor(namespace: string, command: string, args: readonly string[], name: string) {
    this.name = name;
    // The IPC channel lets a program of ours end when this process is gone without a word; others see their stdin end.
    this.#child = spawn("ip", ["netns", "exec", namespace, command, ...args], {
      stdio: ["pipe", "pipe", "pipe", "ipc"],
    });
    this.#child.on("error", (error) => this.#hear(`${error.message}\n`));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#hear(chunk.toString()));
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.#read(line));
    }
    this.#ended = once(this.#child, "exit").then(() => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It has ended, and nobody asked it to. */
  get isDead(): boolean {
    return this.#hasEnded && !this.#isStopping;
  }

  /** Everything that it said so far. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** The first line from `since` on that matches, said already or still to come. */
  line(what: string, matches: (line: Line) => boolean, timeoutMs: number = ANSWER_MS, since = 0): Promise<Line> {
    const search = async (): Promise<Line> => {
      for (let at = since; ; ) {
        for (; at < this.#lines.length; at += 1) {
          const line = this.#lines[at];
          if (line !== undefined && matches(line)) return line;
        }
        if (this.#hasEnded) throw new Error(`${this.name} ended before ${what}: ${this.lastWords()}`);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    };
    return within(timeoutMs, `${this.name}: ${what}`, search());
  }

  /** Writes to its standard input as it is. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Asks one of the drivers in this folder; rejects with the error that it answers. */
  async ask(op: string, params: object = {}, timeoutMs: number = ANSWER_MS): Promise<Line> {
    this.#asked += 1;
    const re = this.#asked;
    const since = this.#lines.length;
    this.write(`${JSON.stringify({ re, op, ...params })}\n`);
    const answer = await this.line(`an answer to ${op}`, (line) => line.re === re, timeoutMs, since);
    if (answer.error !== undefined) throw new Error(`${this.name}: ${op}: ${String(answer.error)}`);
    return answer;
  }

  /** SIGTERM, and SIGKILL when that does not end it. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#hasEnded || this.#child.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(killer);
  }

  lastWords(): string {
    return this.#said.trim().split("\n").slice(-5).join(" | ") || "it said nothing";
  }

  #read(line: string): void {
    if (line.startsWith("{")) {
      try {
        this.#lines.push(JSON.parse(line) as Line);
      } catch {
        // Cut off by its end.
      }
    }
    this.#hear(`${line}\n`);
    this.#wake();
  }

  #hear(text: string): void {
    this.#said = (this.#said + text).slice(-4_000);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
