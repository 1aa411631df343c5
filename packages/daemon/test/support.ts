import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const SOURCE = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source", "--input-type=module"];
const DAEMON = new URL("../src/index.ts", import.meta.url).href;

export type Child = {
  readonly process: ChildProcess;
  /** The next line of its standard output; undefined once that has ended. */
  line(): Promise<string | undefined>;
  /** Its exit code, or the signal that ended it, once all that held its output is gone. */
  readonly ended: Promise<number | string>;
};

/** Arguments of a Node that runs a module; `daemon` in it is this package. */
export function moduleArgs(code: string): string[] {
  return [...SOURCE, "-e", `import * as daemon from ${JSON.stringify(DAEMON)};\n${code}`];
}

/** Runs a module in a process of its own. */
export function runModule(code: string, stdio: "pipe" | "ipc" = "pipe"): Child {
  const child = spawn(process.execPath, moduleArgs(code), {
    stdio: stdio === "ipc" ? ["pipe", "pipe", "inherit", "ipc"] : ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once("close", (exitCode, signal) => resolve(exitCode ?? signal ?? ""));
  });
  if (child.stdout === null) throw new Error("no standard output");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    ended,
    line: async () => {
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
  };
}
