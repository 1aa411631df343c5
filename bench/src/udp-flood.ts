import type { ChildProcess } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { generateIdentity, type NodeId } from "@starling/crypto-identity";
import { createSecureUdp, type SecureUdp } from "@starling/udp-transport";
import type { Address } from "@starling/wire-protocol";
import { ask, startChild } from "./child.ts";
import type { Figure } from "./figure.ts";

// A node under fire: messages of 1 kB to it at half of what it can take, alone, beside 20,000 datagrams of garbage a second, and
// beside 5,000 Hellos a second from ever new keys. The node is one process, the noise another; this one sends the messages.

const ROUNDS = 5;
const PHASE_S = 3;
const GARBAGE_PER_SECOND = 20_000;
const HELLOS_PER_SECOND = 5_000;
/** What a Hello that is let through costs at most: es and ss to read it, ee and se to answer. */
const DHS_PER_HELLO = 4;
const MESSAGE: Uint8Array = new Uint8Array(1_000);
const STEP_MS = 4;

type Node = { readonly child: ChildProcess; readonly id: NodeId; readonly address: Address };
type Report = { readonly messages: number; readonly counters: Record<string, number>; readonly rssBytes: number };

export async function udpFlood(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const child = startChild("./udp-node.ts");
  const node: Node = { child, ...(await ask<Omit<Node, "child">>(child)) };
  const client = await newClient();
  const samples = { garbage: [] as number[], hellos: [] as number[], dhs: [] as number[], newcomer: [] as number[] };
  let capacity = 0;
  let grownBytes = 0;
  try {
    await client.connect(node.id, node.address);
    await saturate(client, node, 2);
    for (let round = 0; round < ROUNDS; round += 1) {
      const most = await saturate(client, node, 2);
      capacity = Math.max(capacity, most);
      const alone = await offer(client, node, most / 2);
      const amidGarbage = await under(node, "garbage", GARBAGE_PER_SECOND, () => offer(client, node, most / 2));
      samples.garbage.push(amidGarbage / alone);
      const hellos = await under(node, "hellos", HELLOS_PER_SECOND, () => amidHellos(client, node, most / 2));
      samples.hellos.push(hellos.perSecond / alone);
      samples.newcomer.push(hellos.newcomerMs);
      samples.dhs.push(hellos.dhsPerSecond);
      grownBytes = Math.max(grownBytes, hellos.grownBytes);
      progress(round + 1, ROUNDS);
    }
  } finally {
    await client.close();
    child.disconnect();
  }
  const offered = `${Math.round(capacity / 2_000)} k messages/s offered`;
  return [
    {
      name: "messages that arrive amid 20,000 datagrams of garbage a second, to those that arrive without",
      unit: "x",
      samples: samples.garbage,
      target: { atLeast: 0.8 },
      ours: offered,
      peer: `capacity ${Math.round(capacity / 1_000)} k/s`,
    },
    {
      name: "messages that arrive amid 5,000 Hellos of new keys a second, to those that arrive without",
      unit: "x",
      samples: samples.hellos,
      target: { atLeast: 0.9 },
    },
    { name: "X25519 operations that they cost", unit: "/s", samples: samples.dhs, target: { atMost: 200 } },
    { name: "memory that they cost", unit: "MB", samples: [grownBytes / 2 ** 20], target: { atMost: 16 } },
    {
      name: "an honest newcomer's session among them",
      unit: "ms",
      samples: samples.newcomer,
      target: { atMost: 3_000 },
    },
  ];
}

const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));

function newClient(): Promise<SecureUdp> {
  return createSecureUdp({ identity: generateIdentity(random), network: "bench", host: "127.0.0.1", port: 0 });
}

/** As many messages as the node acknowledges; those that arrive, a second. */
async function saturate(client: SecureUdp, node: Node, seconds: number): Promise<number> {
  const before = await ask<Report>(node.child, {});
  const started = performance.now();
  while (performance.now() - started < seconds * 1_000) {
    await client.ready(node.id);
    for (let count = 0; count < 64; count += 1) void client.send(node.id, MESSAGE);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { messages } = await ask<Report>(node.child, {});
  const perSecond = ((messages - before.messages) * 1_000) / (performance.now() - started);
  await client.drained(node.id);
  return perSecond;
}

/** Messages at a steady rate; those that arrive, a second. What does not leave in time is not made up for later. */
async function offer(client: SecureUdp, node: Node, perSecond: number): Promise<number> {
  const before = await ask<Report>(node.child, {});
  const started = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const sinceMs = performance.now() - started;
      const due = Math.floor((sinceMs * perSecond) / 1_000);
      for (; sent < due; sent += 1) client.send(node.id, MESSAGE).catch(() => undefined);
      if (sinceMs < PHASE_S * 1_000) return;
      clearInterval(timer);
      resolve();
    }, STEP_MS);
  });
  const { messages } = await ask<Report>(node.child, {});
  const arrived = ((messages - before.messages) * 1_000) / (performance.now() - started);
  await client.drained(node.id);
  return arrived;
}

async function amidHellos(
  client: SecureUdp,
  node: Node,
  perSecond: number,
): Promise<{ perSecond: number; newcomerMs: number; dhsPerSecond: number; grownBytes: number }> {
  const before = await ask<Report>(node.child, {});
  const started = performance.now();
  const [arrived, newcomerMs] = await Promise.all([offer(client, node, perSecond), timeToConnect(node)]);
  const seconds = (performance.now() - started) / 1_000;
  const after = await ask<Report>(node.child, {});
  const answered = (after.counters["handshakes.answered"] ?? 0) - (before.counters["handshakes.answered"] ?? 0);
  return {
    perSecond: arrived,
    newcomerMs,
    dhsPerSecond: (DHS_PER_HELLO * answered) / seconds,
    grownBytes: after.rssBytes - before.rssBytes,
  };
}

async function under<T>(node: Node, mode: string, perSecond: number, act: () => Promise<T>): Promise<T> {
  const child = startChild("./udp-noise.ts");
  await ask(child, { mode, id: node.id, port: node.address.port, perSecond, seconds: PHASE_S });
  const done = ask(child);
  const result = await act();
  await done;
  return result;
}

async function timeToConnect(node: Node): Promise<number> {
  const newcomer = await newClient();
  const started = performance.now();
  await newcomer.connect(node.id, node.address);
  const tookMs = performance.now() - started;
  await newcomer.close();
  return tookMs;
}
