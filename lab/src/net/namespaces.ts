// Names of namespaces say which process made them, so that parallel runs do not meet, and a run removes what a killed one left.
import { tryCommand } from "./command.ts";

const PREFIX = "starling-lab-";
let labs = 0;

/** A prefix that no other laboratory has, of this process or another. */
export function nameOfRun(): string {
  labs += 1;
  return `${PREFIX}${process.pid}-${labs}-`;
}

/** Removes whatever this process made. */
export function removeOwn(): Promise<void> {
  return removeNamespaces(`${PREFIX}${process.pid}-`);
}

/** Ends what still runs in the namespaces with this prefix, and removes them. */
export async function removeNamespaces(prefix: string): Promise<void> {
  const names = (await listNamespaces()).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const { stdout } = await tryCommand("ip", ["netns", "pids", name]);
    for (const pid of stdout.split("\n").filter((line) => line !== "")) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
  }
  if (names.length > 0) {
    await tryCommand("ip", ["-force", "-batch", "-"], names.map((name) => `netns delete ${name}\n`).join(""));
  }
}

/** Removes the namespaces of runs whose process is gone. */
export async function removeAbandoned(): Promise<void> {
  for (const name of await listNamespaces()) {
    const [prefix, owner] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (prefix !== undefined && owner !== undefined && !isAlive(Number(owner))) await removeNamespaces(prefix);
  }
}

async function listNamespaces(): Promise<string[]> {
  const { stdout } = await tryCommand("ip", ["netns", "list"]);
  return stdout
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => name.startsWith(PREFIX));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's, but there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
