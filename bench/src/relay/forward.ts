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
import { PAIRS, Peers, type Script, STEP, WINDOW } from "./script.ts";

// What it costs a relay to forward 800 B of content from eight peers to eight others, beside two forwarders that do less. The load is
// a C program on the other core, whose datagrams were all sealed before the clock starts, and which never sleeps.
//
//   plain   a socket of Node's that sends each datagram back to where it came from
//   aead    the same, opened under one key and sealed under another: AES-256-GCM, KeyObjects
//   relay   `starling-relay` as it is, its quotas raised: sessions, stamps checked, hop acks, SendAcks
//
// A message through the relay is the Send in and out, and an eighth of the datagrams with hop acks and SendAcks, in and out; through
// the others it is one datagram in and one out. Both ways of counting are told. CPU is that of the forwarder's process alone.

const COUNT = 8_000;
const ROUNDS = 7;
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
    for (const [program, source] of [
      ["plain", "../udp-generator.c"],
      ["relay", "./generator.c"],
    ] as const) {
      execFileSync("gcc", [
        "-O2",
        "-o",
        join(folder, `${program}-load`),
        fileURLToPath(new URL(source, import.meta.url)),
      ]);
    }
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
  const { port, script } = await openPeers(forwarder);
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const framed = (datagram: Uint8Array): Uint8Array[] => [u32(datagram.length), datagram];
  const input = Buffer.concat([
    ...script.indexes.map(u32),
    ...script.sends.flatMap(framed),
    ...script.answers.flatMap((answers) => answers.flatMap(framed)),
  ]);
  const before = await cpuUs(forwarder);
  const text = await run(join(folder, "relay-load"), [port, forwarder.port, PAIRS, STEP, WINDOW, COUNT], input);
  const spentUs = (await cpuUs(forwarder)) - before;
  const [seconds = 0, messages = 0, sent = 0, received = 0] = text.split(" ").map(Number);
  if (!(messages > COUNT * 0.9)) throw new Error(`relay: ${text}`);
  return {
    perSecond: messages / seconds,
    packetsPerSecond: (sent + received) / seconds,
    cpuUs: spentUs / messages,
    packetUs: spentUs / (sent + received),
  };
}

/** Sessions opened from a port that the generator takes over. */
async function openPeers(forwarder: Forwarder): Promise<{ port: number; script: Script }> {
  const to = { ip: "127.0.0.1", port: forwarder.port };
  let peers: Peers | undefined;
  const socket = await openUdpSocket({ host: "127.0.0.1", port: 0, onDatagram: (bytes) => peers?.receive(bytes) });
  peers = new Peers(forwarder.id, "bench", (datagram) => socket.send(datagram, to));
  const { port } = socket.address;
  const startedMono = performance.now();
  // What a relay tells new neighbours has come and was acknowledged by then.
  while (!peers.isOpen || performance.now() - startedMono < 400) {
    if (performance.now() - startedMono > 10_000) throw new Error("the sessions do not open");
    await new Promise((resolve) => setTimeout(resolve, 5));
    peers.tick();
  }
  await socket.close();
  return { port, script: peers.script(COUNT) };
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
