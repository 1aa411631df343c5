import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cpuMsOf } from "../process-cost.ts";
import { Namespace } from "./namespace.ts";

// The processes of a comparison: the peers' programs in bench/peers, ours beside this file, and the relay that ships.

const PEERS = new URL("../../peers/", import.meta.url);
const RELAY = fileURLToPath(new URL("../../../apps/relay/src/main.ts", import.meta.url));
const FROM_SOURCE = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
const ANSWER_MS = 300_000;

export class Processes {
  readonly #children: ChildProcess[] = [];
  readonly #namespaces: Namespace[] = [];
  readonly #shared: Namespace | undefined;

  /** All of them in one network, or on the machine's own loopback. */
  constructor(shared?: Namespace) {
    this.#shared = shared;
    if (shared !== undefined) this.#namespaces.push(shared);
  }

  /** A program of bench/peers, started and ready; with what it said of itself. */
  peer<Ready = object>(file: string, ...args: string[]): Promise<Process<Ready>> {
    return this.#ready(this.#start([fileURLToPath(new URL(file, PEERS)), ...args]));
  }

  /** A program of this folder. */
  ours<Ready = object>(file: string, ...args: string[]): Promise<Process<Ready>> {
    return this.#ready(this.#start([...FROM_SOURCE, fileURLToPath(new URL(file, import.meta.url)), ...args]));
  }

  /** A program of bench/peers with a network namespace for itself, where this system allows one. */
  alonePeer<Ready = object>(file: string, ...args: string[]): Promise<Alone<Ready>> {
    return this.#alone([fileURLToPath(new URL(file, PEERS)), ...args]);
  }

  /** The same of one of this folder. */
  alone<Ready = object>(file: string, ...args: string[]): Promise<Alone<Ready>> {
    return this.#alone([...FROM_SOURCE, fileURLToPath(new URL(file, import.meta.url)), ...args]);
  }

  /** `starling-relay` with its defaults. */
  async relay(dataDir: string): Promise<Relay> {
    const flags = ["--data-dir", dataDir, "--listen", "127.0.0.1:0", "--network", "bench"];
    const child = this.#start([...FROM_SOURCE, RELAY, "start", ...flags], { stdout: "pipe" });
    const { stdout } = child;
    if (stdout === null) throw new Error("the relay says nothing");
    for await (const line of createInterface({ input: stdout })) {
      const entry = JSON.parse(line);
      if (entry.msg !== "ready") continue;
      stdout.resume();
      return { contact: `${entry.id}@${entry.listen}`, cpuMs: () => cpuMsOf(child.pid) };
    }
    throw new Error("the relay ended before it was ready");
  }

  /** The same that asks for no stamps and has its quotas raised. */
  async stampFreeRelay(dataDir: string): Promise<Relay> {
    const child = this.#start([...FROM_SOURCE, RELAY, "bench", "--child", "relay", "--data-dir", dataDir]);
    const { ready } = await this.#ready<{ readonly id: string; readonly port: number }>(child);
    return { contact: `${ready.id}@127.0.0.1:${ready.port}`, cpuMs: () => cpuMsOf(child.pid) };
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
    for (const namespace of this.#namespaces) namespace.close();
  }

  async #alone<Ready>(args: readonly string[]): Promise<Alone<Ready>> {
    const namespace = await Namespace.open();
    if (namespace !== undefined) this.#namespaces.push(namespace);
    return {
      ...(await this.#ready<Ready>(this.#start(args, { namespace, isAlone: namespace !== undefined }))),
      namespace,
    };
  }

  #start(
    args: readonly string[],
    how: { readonly stdout?: "pipe"; readonly namespace?: Namespace | undefined; readonly isAlone?: boolean } = {},
  ): ChildProcess {
    const { stdout = "inherit", namespace = this.#shared, isAlone = false } = how;
    const [program, all] = namespace?.within(process.execPath, args) ?? [process.execPath, [...args]];
    const env = isAlone ? { ...process.env, BENCH_ALONE: "1" } : process.env;
    const child = spawn(program, all, { stdio: ["ignore", stdout, "inherit", "ipc"], env });
    this.#children.push(child);
    return child;
  }

  async #ready<Ready>(child: ChildProcess): Promise<Process<Ready>> {
    const ready = await answerOf<Ready>(child);
    return { ready, ask: (question) => answerOf(child, question), cpuMs: () => cpuMsOf(child.pid) };
  }
}

export type Process<Ready = object> = {
  readonly ready: Ready;
  ask<Answer>(question: object): Promise<Answer>;
  /** Of processor time since its start, all its threads; where the system does not tell, NaN. */
  cpuMs(): number;
};

/** With the network that it has for itself. */
export type Alone<Ready = object> = Process<Ready> & { readonly namespace: Namespace | undefined };

export type Relay = { /** `ID@IP:PORT`. */ readonly contact: string; cpuMs(): number };

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
