// Examples as a person runs them: processes whose lines are waited for.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const DEADLINE_MS = 20_000;
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];

export class Example {
  readonly #child: ChildProcess;
  #output = "";
  #onOutput: () => void = () => {};

  constructor(file: string, ...args: string[]) {
    const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    const [command, flags] = file.endsWith(".py") ? ["python3", []] : [process.execPath, NODE_FLAGS];
    this.#child = spawn(command, [...flags, path, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (data: Buffer) => {
        this.#output += data.toString();
        this.#onOutput();
      });
    }
  }

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  endOfInput(): void {
    this.#child.stdin?.end();
  }

  /** Resolves with the match, once the example has printed it. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`did not say ${pattern}: ${this.#output}`)), DEADLINE_MS);
      this.#onOutput = () => {
        const match = pattern.exec(this.#output);
        if (match === null) return;
        clearTimeout(timer);
        this.#onOutput = () => {};
        resolve(match);
      };
      this.#onOutput();
    });
  }

  async exitCode(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, "exit", { signal: AbortSignal.timeout(DEADLINE_MS) });
    return this.#child.exitCode;
  }

  kill(): void {
    this.#child.kill();
  }
}
