import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { LocalClientError } from "@starling/local-client";
import { createNode, type EmbeddedNode } from "@starling/node";
import type { Figure } from "../figure.ts";

// Twenty daemons: five relays, as people install them, and fifteen nodes, which show their addresses to nobody, so that all they say
// goes over relays. Each node sends another a message a second; each five seconds a relay is killed and started anew. The nodes live in
// the measuring process: they are not killed here (daemon-kills does that), and each has its own socket, inbox and program.

const APP = fileURLToPath(new URL("../../../apps/relay/", import.meta.url));
const BUNDLE = join(APP, "dist/bundle/starling-relay.js");
const RELAYS = 5;
const NODES = 15;
/** Relays that a node knows. */
const KNOWN = 3;
const KILL_EACH_MS = 5_000;
const SUBMIT_EACH_MS = 1_000;
const TIMEOUT_MS = 120_000;
/** Behind the last submit's own time. */
const GRACE_MS = 30_000;

class RelayProcess {
  readonly #folder: string;
  #bootstrap: readonly string[] = [];
  #listen = "127.0.0.1:0";
  #process: ChildProcess | undefined;
  contact = "";

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(bootstrap: readonly string[] = this.#bootstrap): Promise<void> {
    this.#bootstrap = bootstrap;
    const args = ["--data-dir", this.#folder, "--network", "bench", "--listen", this.#listen, "--http", "off"];
    const known = bootstrap.flatMap((contact) => ["--bootstrap", contact]);
    const child = spawn(process.execPath, [BUNDLE, "start", ...args, ...known], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, id, listen } = JSON.parse(line);
      if (msg !== "ready") continue;
      this.#listen = listen;
      this.contact = `${id}@${listen}`;
      child.stdout.resume();
      return;
    }
    throw new Error("a relay ended before it was ready");
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}

type Submitted = { readonly key: string; outcome: "open" | "receipt" | string; elapsedMs: number };

class Ledger {
  readonly submitted: Submitted[] = [];
  readonly #delivered = new Map<string, number>();

  deliver(key: string): void {
    this.#delivered.set(key, (this.#delivered.get(key) ?? 0) + 1);
  }

  get openCount(): number {
    return this.submitted.filter(({ outcome }) => outcome === "open").length;
  }

  /** What must not be: without an answer, answered by no typed error, a receipt without its message, a message twice. */
  problems(): string[] {
    return this.submitted.flatMap(({ key, outcome }) => {
      const times = this.#delivered.get(key) ?? 0;
      const isTyped = outcome === "receipt" || outcome.startsWith("E_");
      const isRight = isTyped && times <= 1 && (outcome !== "receipt" || times === 1);
      return isRight ? [] : [`${key}: ${outcome}, delivered ${times} times`];
    });
  }
}

export async function relayKills(
  progress: (done: number, of: number) => void,
  { minutes = 5 }: { readonly minutes?: number },
): Promise<Figure[]> {
  execFileSync(process.execPath, [join(APP, "bundle.mjs")], { cwd: APP });
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const relays = Array.from({ length: RELAYS }, (_, at) => new RelayProcess(join(folder, `relay${at}`)));
  const nodes: EmbeddedNode[] = [];
  const ledger = new Ledger();
  try {
    for (const [at, relay] of relays.entries()) await relay.start(relays.slice(0, at).map(({ contact }) => contact));
    for (let at = 0; at < NODES; at += 1) nodes.push(await startNode(at, relays, ledger));
    const kills = await underKills(relays, nodes, ledger, minutes * 60_000, progress);
    return figures(ledger, kills, minutes);
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
    await Promise.all(relays.map((relay) => relay.kill("SIGTERM")));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startNode(at: number, relays: readonly RelayProcess[], ledger: Ledger): Promise<EmbeddedNode> {
  const bootstrap = Array.from({ length: KNOWN }, (_, step) => relays[(at + step) % RELAYS]?.contact ?? "");
  const node = await createNode({ listen: "127.0.0.1:0", network: "bench", bootstrap, icePolicy: "relayed-only" });
  const messages = await node.client.subscribe({ events: ["message"] });
  void (async () => {
    for await (const { content } of messages) ledger.deliver(new TextDecoder().decode(content));
  })();
  const links = await node.client.subscribe({ events: ["link"] });
  if ((await node.client.peers()).length === 0) await links.next();
  await links.unsubscribe();
  return node;
}

async function underKills(
  relays: readonly RelayProcess[],
  nodes: readonly EmbeddedNode[],
  ledger: Ledger,
  forMs: number,
  progress: (done: number, of: number) => void,
): Promise<number> {
  const submitting = setInterval(() => {
    for (const node of nodes) submit(node, nodes, ledger);
  }, SUBMIT_EACH_MS);
  const killsMax = Math.floor(forMs / KILL_EACH_MS);
  let kills = 0;
  try {
    for (; kills < killsMax; kills += 1) {
      await pause(KILL_EACH_MS);
      const relay = relays[Math.floor(Math.random() * relays.length)];
      await relay?.kill("SIGKILL");
      await relay?.start();
      progress(kills + 1, killsMax);
    }
  } finally {
    clearInterval(submitting);
  }
  const untilMono = performance.now() + TIMEOUT_MS + GRACE_MS;
  while (ledger.openCount > 0 && performance.now() < untilMono) await pause(100);
  // What comes twice comes by then.
  await pause(KILL_EACH_MS);
  return kills;
}

function submit(from: EmbeddedNode, nodes: readonly EmbeddedNode[], ledger: Ledger): void {
  const others = nodes.filter((node) => node !== from);
  const to = others[Math.floor(Math.random() * others.length)] as EmbeddedNode;
  const startedMono = performance.now();
  const entry: Submitted = { key: `${ledger.submitted.length}`, outcome: "open", elapsedMs: 0 };
  ledger.submitted.push(entry);
  const settle = (outcome: string): void => {
    entry.outcome = outcome;
    entry.elapsedMs = performance.now() - startedMono;
  };
  const content = new TextEncoder().encode(entry.key);
  from.client.submit({ to: to.id, content, via: "relay", timeoutMs: TIMEOUT_MS }).then(
    () => settle("receipt"),
    (error) => settle(error instanceof LocalClientError ? error.code : String(error)),
  );
}

function figures(ledger: Ledger, kills: number, minutes: number): Figure[] {
  const problems = ledger.problems();
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  const { submitted } = ledger;
  const receipts = submitted.filter(({ outcome }) => outcome === "receipt");
  const codes = [...new Set(submitted.map(({ outcome }) => outcome))].filter((outcome) => outcome !== "receipt");
  const told = codes.map((code) => `${submitted.filter(({ outcome }) => outcome === code).length} ${code}`).join(", ");
  const elapsed = receipts.map(({ elapsedMs }) => elapsedMs).toSorted((a, b) => a - b);
  return [
    {
      name: `${kills} kill -9 of relays in ${minutes} min, 20 daemons, ${submitted.length} submits: lost, doubled, or without an answer`,
      unit: "",
      samples: [problems.length],
      target: { atMost: 0 },
    },
    {
      name: `of them with a receipt${told === "" ? "" : `; the others: ${told}`}`,
      unit: "%",
      samples: [(100 * receipts.length) / submitted.length],
    },
    { name: "time to a receipt, median", unit: "ms", samples: [elapsed[Math.floor(elapsed.length / 2)] ?? Number.NaN] },
    { name: "the slowest", unit: "ms", samples: [elapsed.at(-1) ?? Number.NaN] },
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
