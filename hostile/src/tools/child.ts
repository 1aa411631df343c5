import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A program of this folder in a process of its own, from source. It ends when this one disconnects. */
export function startChild(file: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"],
  });
}

/** What it says next; rejects if it ends instead. */
export async function hear<Message>(child: ChildProcess): Promise<Message> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    const exited = once(child, "exit", { signal }).then(([code]) => {
      throw new Error(`${child.spawnargs.at(-1)} ended with ${code}`);
    });
    const [message] = await Promise.race([once(child, "message", { signal }), exited]);
    return message;
  } finally {
    ended.abort();
  }
}
