import { spawn } from "node:child_process";

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end, whatever its exit code. */
export function tryCommand(command: string, args: readonly string[], input: Uint8Array | string = ""): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
    // One that ends without reading is told by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** Runs a program to its end; rejects with what it said when it fails. */
export async function command(name: string, args: readonly string[], input: Uint8Array | string = ""): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(name, args, input);
  if (code !== 0) throw new Error(`${name} ${args.join(" ")}: exit ${code}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Several commands of `ip` at once, in a namespace or outside of all. */
export async function ip(namespace: string | undefined, lines: readonly string[]): Promise<void> {
  const inside = namespace === undefined ? [] : ["-n", namespace];
  await command("ip", [...inside, "-batch", "-"], `${lines.join("\n")}\n`);
}

/** Runs a program in a namespace. */
export function inside(
  namespace: string,
  name: string,
  args: readonly string[],
  input: Uint8Array | string = "",
): Promise<string> {
  return command("ip", ["netns", "exec", namespace, name, ...args], input);
}

/** Sets kernel parameters of a namespace, by their names under net/ipv4 or net/netfilter. */
export async function sysctl(namespace: string, settings: Readonly<Record<string, number>>): Promise<void> {
  const writes = Object.entries(settings).map(([name, value]) => `echo ${value} > /proc/sys/net/${name}`);
  await inside(namespace, "sh", ["-ec", writes.join("\n")]);
}
