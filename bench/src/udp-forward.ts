import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateIdentity, identityFromSeed, type NodeId } from "@starling/crypto-identity";
import { createSessionCrypto, SessionTable, type Transmit } from "@starling/session";
import { openUdpSocket } from "@starling/udp-transport";
import { DATA_OVERHEAD_BYTES, FRAME_HEADER_BYTES } from "@starling/wire-protocol";
import { ask, startChild } from "./child.ts";
import { type Figure, median } from "./figure.ts";
import { ratios } from "./race.ts";
import { withoutAead } from "./udp-null-aead.ts";

// What a session costs: datagrams of 800 bytes, forwarded by one process from eight peers to eight others, opened under one key
// and sealed under another, beside a plain dgram forwarder. The load comes from a C program (gcc) that sends and counts, one
// core for it and one for the forwarder; of the sessions' datagrams every one is sealed before the clock starts.

const SIZE_BYTES = 800;
const COUNT = 50_000;
const WINDOW = 128;
const PAIRS = 8;
const ROUNDS = 9;
const MODES = ["plain", "sessions", "null"] as const;
type Mode = (typeof MODES)[number];
/** A kind that nobody knows: passed up as it is, sent once. */
const KIND = 0x7f;

const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
const now = (): { readonly mono: number; readonly wall: number } => ({ mono: performance.now(), wall: Date.now() });
const FORWARDER_ID = identityFromSeed(new Uint8Array(32).fill(1)).id;

type Forwarder = { readonly child: ChildProcess; readonly port: number };
type Sample = { readonly perSecond: number; readonly cpuUs: number };

export async function udpForward(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const forwarders = new Map<Mode, Forwarder>();
  const samples: Record<Mode, Sample[]> = { plain: [], sessions: [], null: [] };
  try {
    const generator = join(folder, "udp-generator");
    execFileSync("gcc", ["-O2", "-o", generator, fileURLToPath(new URL("./udp-generator.c", import.meta.url))]);
    for (const mode of MODES) forwarders.set(mode, await startForwarder(mode));
    // The first round warms the code up and is not counted.
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const [mode, forwarder] of forwarders) {
        const sample = await oneRound(generator, mode, forwarder);
        if (round >= 0) samples[mode].push(sample);
      }
      progress(round + 2, ROUNDS + 1);
    }
  } finally {
    for (const { child } of forwarders.values()) child.disconnect();
    rmSync(folder, { recursive: true });
  }
  const pps = (mode: Mode): number[] => samples[mode].map(({ perSecond }) => perSecond);
  const perCpu = (mode: Mode): number[] => samples[mode].map(({ cpuUs }) => 1 / cpuUs);
  const rate = (mode: Mode): string => `${Math.round(median(pps(mode)) / 1_000)} k/s`;
  const cpu = (mode: Mode): string => `${median(samples[mode].map(({ cpuUs }) => cpuUs)).toFixed(1)} µs of CPU`;
  return [
    {
      name: "sessions, forwarding 800 B (opened and sealed), to a plain dgram forwarder, by datagrams a second",
      unit: "x",
      samples: ratios(pps("sessions"), pps("plain")),
      target: { atLeast: 0.36 },
      ours: rate("sessions"),
      peer: `dgram, Node ${process.version}: ${rate("plain")}`,
    },
    {
      name: "the same without the AEAD, by CPU a datagram",
      unit: "x",
      samples: ratios(perCpu("null"), perCpu("plain")),
      target: { atLeast: 0.7 },
      ours: cpu("null"),
      peer: `dgram: ${cpu("plain")}`,
    },
  ];
}

async function startForwarder(mode: Mode): Promise<Forwarder> {
  const child = startChild("./udp-forwarder.ts", [mode]);
  const { port } = await ask<{ readonly port: number }>(child);
  return { child, port };
}

async function cpuUs({ child }: Forwarder): Promise<number> {
  const { user, system } = await ask<NodeJS.CpuUsage>(child, { type: "cpu" });
  return user + system;
}

async function oneRound(generator: string, mode: Mode, forwarder: Forwarder): Promise<Sample> {
  const { port: from, datagrams } = mode === "plain" ? await plainLoad() : await sealedLoad(forwarder, mode === "null");
  const child = spawn(generator, [from, forwarder.port, SIZE_BYTES, COUNT, WINDOW].map(String), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const before = await cpuUs(forwarder);
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  child.stdin.end(datagrams);
  await once(child, "close");
  const [seconds, received] = text.split(" ").map(Number);
  if (!(seconds !== undefined && received !== undefined && received > COUNT * 0.9)) throw new Error(`${mode}: ${text}`);
  return { perSecond: received / seconds, cpuUs: ((await cpuUs(forwarder)) - before) / received };
}

async function plainLoad(): Promise<{ port: number; datagrams: Uint8Array }> {
  const socket = await openUdpSocket({ host: "127.0.0.1", port: 0, onDatagram: () => undefined });
  const { port } = socket.address;
  await socket.close();
  return { port, datagrams: random(SIZE_BYTES * COUNT) };
}

/** Opens sixteen sessions with the forwarder from one port, and seals what eight of them will send. */
async function sealedLoad(forwarder: Forwarder, isNull: boolean): Promise<{ port: number; datagrams: Uint8Array }> {
  const tables = new Set<SessionTable>();
  let wake = (): void => undefined;
  const socket = await openUdpSocket({
    host: "127.0.0.1",
    port: 0,
    // An index is one table's alone: the others do not know it.
    onDatagram(bytes, from) {
      for (const table of tables) {
        table.receive(bytes, from, now());
        for (const { to, datagram } of table.flush(now())) socket.send(datagram, to);
      }
      wake();
    },
  });
  const peers = Array.from({ length: 2 * PAIRS }, () => {
    const crypto = createSessionCrypto({ identity: generateIdentity(random), network: "bench", random });
    const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };
    const table = new SessionTable({ crypto: isNull ? withoutAead(crypto) : crypto, random, owner });
    tables.add(table);
    table.connect(FORWARDER_ID, { ip: "127.0.0.1", port: forwarder.port }, now());
    for (const { to, datagram } of table.flush(now())) socket.send(datagram, to);
    return { id: crypto.id, table };
  });
  const isOpen = (): boolean => peers.every(({ table }) => table.get(FORWARDER_ID)?.rttMs !== undefined);
  while (!isOpen()) await new Promise<void>((resolve) => (wake = resolve));
  const { port } = socket.address;
  await socket.close();
  for (let pair = 0; pair < PAIRS; pair += 1) {
    forwarder.child.send({ type: "route", from: peers[pair]?.id, to: peers[PAIRS + pair]?.id });
  }
  const body = random(SIZE_BYTES - DATA_OVERHEAD_BYTES - FRAME_HEADER_BYTES);
  const datagrams = new Uint8Array(SIZE_BYTES * COUNT);
  const at = { mono: performance.now(), wall: Date.now() };
  for (let index = 0; index < COUNT; index += 1) {
    const source = peers[index % PAIRS]?.table;
    // Past what a link would send at once: the clock of these tables runs as fast as they are asked.
    at.mono += 1;
    source?.send(FORWARDER_ID as NodeId, { kind: KIND, body }, at);
    const [data] = (source?.flush(at) ?? []).filter((each: Transmit) => each.datagram.length === SIZE_BYTES);
    if (data === undefined) throw new Error("nothing to send");
    datagrams.set(data.datagram, index * SIZE_BYTES);
  }
  return { port, datagrams };
}
