// What every driver is: a process that is asked by lines of JSON on stdin, `{re, op, ...}`, and answers each by one on stdout,
// `{re, ...}` or `{re, error}`. It ends with its stdin.
import { createInterface } from "node:readline";

export type Params = Readonly<Record<string, unknown>>;
export type Operations = Readonly<Record<string, (params: Params) => Promise<object> | object>>;

export function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Answers from now on; `ready` is told first. */
export function serve(operations: Operations, ready: object = {}): void {
  createInterface({ input: process.stdin })
    .on("line", (line) => void answer(operations, JSON.parse(line) as Params))
    .on("close", () => process.exit(0));
  say({ type: "ready", ...ready });
}

async function answer(operations: Operations, { re, op, ...params }: Params): Promise<void> {
  try {
    const operation = operations[String(op)];
    if (operation === undefined) throw new Error(`there is no operation ${String(op)}`);
    say({ re, ...(await operation(params)) });
  } catch (error) {
    say({ re, error: error instanceof Error ? error.message : String(error) });
  }
}

export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
