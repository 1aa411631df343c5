import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// The processes of a comparison: the peers' programs in bench/peers, ours beside this file, and the relay that ships.

const PEERS = new URL("../../peers/", import.meta.url);
const RELAY = fileURLToPath(new URL("../../../apps/relay/src/main.ts", import.meta.url));
const FROM_SOURCE = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
const ANSWER_MS = 300_000;

export class Processes {
  readonly #children: ChildProcess[] = [];

  /** A program of bench/peers, started and ready; with what it said of itself. */
  peer<Ready = object>(file: string, ...args: string[]): Promise<Process<Ready>> {
    return this.#ready(fork(fileURLToPath(new URL(file, PEERS)), args));
  }

  /** A program of this folder. */
  ours<Ready = object>(file: string, ...args: string[]): Promise<Process<Ready>> {
    return this.#ready(fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: FROM_SOURCE }));
  }

  /** A program of bench/peers with a network namespace for itself, where this system allows one. */
  alonePeer<Ready = object>(file: string, ...args: string[]): Promise<Process<Ready>> {
    return this.#ready(startAlone([fileURLToPath(new URL(file, PEERS)), ...args]));
  }

  /** The same of one of this folder. */
  alone<Ready = object>(file: string, ...args: string[]): Promise<Process<Ready>> {
    return this.#ready(startAlone([...FROM_SOURCE, fileURLToPath(new URL(file, import.meta.url)), ...args]));
  }

  /** `starling-relay` with its defaults. */
  async relay(dataDir: string): Promise<Relay> {
    const flags = ["--data-dir", dataDir, "--listen", "127.0.0.1:0", "--network", "bench"];
    const child = spawn(process.execPath, [...FROM_SOURCE, RELAY, "start", ...flags], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    this.#children.push(child);
    const { stdout } = child;
    if (stdout === null) throw new Error("the relay says nothing");
    for await (const line of createInterface({ input: stdout })) {
      const entry = JSON.parse(line);
      if (entry.msg !== "ready") continue;
      stdout.resume();
      return { contact: `${entry.id}@${entry.listen}`, cpuMs: () => cpuMs(child) };
    }
    throw new Error("the relay ended before it was ready");
  }

  /** The same that asks for no stamps and has its quotas raised. */
  async stampFreeRelay(dataDir: string): Promise<Relay> {
    const child = fork(RELAY, ["bench", "--child", "relay", "--data-dir", dataDir], { execArgv: FROM_SOURCE });
    const { ready } = await this.#ready<{ readonly id: string; readonly port: number }>(child);
    return { contact: `${ready.id}@127.0.0.1:${ready.port}`, cpuMs: () => cpuMs(child) };
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        await exited;
      }),
    );
  }

  async #ready<Ready>(child: ChildProcess): Promise<Process<Ready>> {
    this.#children.push(child);
    const ready = await answerOf<Ready>(child);
    return { ready, ask: (question) => answerOf(child, question), cpuMs: () => cpuMs(child) };
  }
}

export type Process<Ready = object> = {
  readonly ready: Ready;
  ask<Answer>(question: object): Promise<Answer>;
  /** Of processor time since its start, all its threads; where the system does not tell, NaN. */
  cpuMs(): number;
};

export type Relay = { /** `ID@HOST:PORT`. */ readonly contact: string; cpuMs(): number };

/** In steps of 10 ms, as Linux tells them. */
function cpuMs({ pid }: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

function startAlone(args: readonly string[]): ChildProcess {
  const unshare = ["--map-root-user", "--net", "sh", "-c"];
  const isAllowed = spawnSync("unshare", [...unshare, "ip link set lo up"], { stdio: "ignore" }).status === 0;
  const stdio: ["ignore", "inherit", "inherit", "ipc"] = ["ignore", "inherit", "inherit", "ipc"];
  if (!isAllowed) return spawn(process.execPath, [...args], { stdio });
  const script = 'ip link set lo up && exec "$0" "$@"';
  return spawn("unshare", [...unshare, script, process.execPath, ...args], {
    stdio,
    env: { ...process.env, BENCH_ALONE: "1" },
  });
}

async function answerOf<Answer>(child: ChildProcess, question?: object): Promise<Answer> {
  const done = new AbortController();
  const { signal } = done;
  const timer = setTimeout(() => done.abort(new Error(`no answer to ${JSON.stringify(question)}`)), ANSWER_MS);
  try {
    const answered = once(child, "message", { signal });
    const ended = once(child, "exit", { signal }).then(([code]) => {
      throw new Error(`a process of the comparison ended with ${code}`);
    });
    ended.catch(() => undefined);
    if (question !== undefined) child.send(question);
    const [answer] = await Promise.race([answered, ended]);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  } finally {
    clearTimeout(timer);
    done.abort();
  }
}
