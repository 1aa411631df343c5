import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/**
 * A program of this folder in a process of its own, run from source as this one is, with these arguments and flags of Node. It ends
 * when this one disconnects.
 */
export function startChild(file: string, args: readonly string[] = [], flags: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source", ...flags],
  });
}

/** Sends a message, if there is one, and returns the next that comes. */
export async function ask<Answer>(child: ChildProcess, message?: object): Promise<Answer> {
  const answer = once(child, "message");
  if (message !== undefined) child.send(message);
  const [value] = await answer;
  return value;
}
