import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeId } from "@starling/crypto-identity";
import { openUdpSocket } from "@starling/udp-transport";
import { ask } from "../child.ts";
import { type Figure, median } from "../figure.ts";
import { buildLoad, runLoad } from "./load.ts";
import { openPeers } from "./peers.ts";

// What it costs a relay to forward 800 B of content from eight peers to eight others, beside two forwarders that do less. The load is
// a C program on the other core, which never sleeps.
//
//   plain   a socket of Node's that sends each datagram back to where it came from
//   aead    the same, opened under one key and sealed under another: AES-256-GCM, KeyObjects
//   relay   `starling-relay` as it is, its quotas raised: sessions, stamps checked, hop acks, SendAcks
//
// A message through the relay is the Send in and out, and its share of the datagrams with hop acks and SendAcks, in and out; through
// the others it is one datagram in and one out. Both ways of counting are told. CPU is that of the forwarder's process alone.

const PAIRS = 8;
/** Messages of a pair without a SendAck, at most. */
const WINDOW = 16;
/** Of a round: the two that are not counted fill the tables. */
const COUNT = 40_000;
const ROUNDS = 5;
const MODES = ["plain", "aead", "relay"] as const;
type Mode = (typeof MODES)[number];
/** What a Send of class 1024 makes on the wire, an Ack in it. */
const DATAGRAM_BYTES = 1197;

type Forwarder = { readonly child: ChildProcess; readonly port: number; readonly id: NodeId };
type Sample = {
  readonly perSecond: number;
  readonly packetsPerSecond: number;
  readonly cpuUs: number;
  readonly packetUs: number;
};

const RELAY = fileURLToPath(new URL("../../../apps/relay/src/main.ts", import.meta.url));

export async function relayForward(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const forwarders = new Map<Mode, Forwarder>();
  const samples: Record<Mode, Sample[]> = { plain: [], aead: [], relay: [] };
  try {
    const plainLoad = fileURLToPath(new URL("../udp-generator.c", import.meta.url));
    execFileSync("cc", ["-O2", "-o", join(folder, "plain-load"), plainLoad]);
    buildLoad(folder);
    for (const mode of MODES) {
      const child = fork(RELAY, ["bench", "--child", mode, "--data-dir", join(folder, mode)], {
        execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"],
      });
      const { port, id } = await ask<{ readonly port: number; readonly id: NodeId }>(child);
      forwarders.set(mode, { child, port, id });
    }
    // The first rounds warm the code up and are not counted.
    for (let round = -2; round < ROUNDS; round += 1) {
      for (const [mode, forwarder] of forwarders) {
        const sample = await (mode === "relay"
          ? throughRelay(folder, forwarder)
          : throughEcho(folder, forwarder, mode));
        if (round >= 0) samples[mode].push(sample);
      }
      progress(round + 3, ROUNDS + 2);
    }
  } finally {
    for (const { child } of forwarders.values()) child.disconnect();
    await Promise.all([...forwarders.values()].map(({ child }) => once(child, "exit")));
    rmSync(folder, { recursive: true, force: true });
  }
  return [
    ratio(samples, "plain", "cpuUs", "a message, to a datagram of a plain dgram forwarder, by CPU", undefined),
    ratio(samples, "plain", "packetUs", "the same by CPU a packet, in and out", 0.28),
    ratio(samples, "plain", "packetsPerSecond", "the same by packets a second", 0.28),
    ratio(samples, "aead", "cpuUs", "a message, to a datagram that is opened and sealed, by CPU", undefined),
    ratio(samples, "aead", "packetUs", "the same by CPU a packet, in and out", 0.7),
    ratio(samples, "aead", "packetsPerSecond", "the same by packets a second", 0.7),
  ];
}

function ratio(
  samples: Record<Mode, readonly Sample[]>,
  peer: Mode,
  key: keyof Sample,
  name: string,
  atLeast: number | undefined,
): Figure {
  const isCost = key === "cpuUs" || key === "packetUs";
  const values = samples.relay.map((sample, round) => {
    const other = samples[peer][round]?.[key] ?? Number.NaN;
    return isCost ? other / sample[key] : sample[key] / other;
  });
  const text = (mode: Mode): string => {
    const value = median(samples[mode].map((sample) => sample[key]));
    return isCost ? `${value.toFixed(1)} µs` : `${Math.round(value / 100) / 10} k/s`;
  };
  return {
    name: `relay, 800 B forwarded: ${name}`,
    unit: "x",
    samples: values,
    ...(atLeast === undefined ? {} : { target: { atLeast } }),
    ours: text("relay"),
    peer: `${peer}: ${text(peer)}`,
  };
}

async function cpuUs({ child }: Forwarder): Promise<number> {
  return (await ask<{ readonly cpuUs: number }>(child, { type: "cpu" })).cpuUs;
}

async function throughEcho(folder: string, forwarder: Forwarder, mode: Mode): Promise<Sample> {
  const socket = await openUdpSocket({ host: "127.0.0.1", port: 0, onDatagram: () => undefined });
  const { port } = socket.address;
  await socket.close();
  const loaded = once(forwarder.child, "message");
  forwarder.child.send({ type: "load", sizeBytes: DATAGRAM_BYTES });
  const [{ datagram }] = await loaded;
  const bytes = Buffer.from(datagram, "base64");
  const load = Buffer.concat(Array.from({ length: COUNT }, () => bytes));
  const before = await cpuUs(forwarder);
  const text = await run(
    join(folder, "plain-load"),
    [port, forwarder.port, DATAGRAM_BYTES, COUNT, PAIRS * WINDOW],
    load,
  );
  const spentUs = (await cpuUs(forwarder)) - before;
  const [seconds = 0, received = 0] = text.split(" ").map(Number);
  if (!(received > COUNT * 0.9)) throw new Error(`${mode}: ${text}`);
  const perSecond = received / seconds;
  return { perSecond, packetsPerSecond: 2 * perSecond, cpuUs: spentUs / received, packetUs: spentUs / (2 * received) };
}

async function throughRelay(folder: string, forwarder: Forwarder): Promise<Sample> {
  const { port, lines } = await openPeers(forwarder, "bench", 2 * PAIRS);
  const flows = Array.from({ length: PAIRS }, (_, pair) => ({
    ...{ from: pair, to: PAIRS + pair, count: COUNT / PAIRS, window: WINDOW },
  }));
  const before = await cpuUs(forwarder);
  const load = await runLoad(folder, { port, relayPort: forwarder.port, graceSeconds: 2, lines, flows });
  const spentUs = (await cpuUs(forwarder)) - before;
  const messages = load.flows.reduce((sum, { acked }) => sum + acked, 0);
  if (messages !== COUNT) throw new Error(`relay: ${messages} of ${COUNT} messages acknowledged`);
  const packets = load.sent + load.received;
  return {
    perSecond: messages / load.seconds,
    packetsPerSecond: packets / load.seconds,
    cpuUs: spentUs / messages,
    packetUs: spentUs / packets,
  };
}

async function run(program: string, args: readonly number[], input: Uint8Array): Promise<string> {
  const child = spawn(program, args.map(String), { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  child.stdin.end(input);
  await once(child, "close");
  return text;
}
