import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateIdentity, systemRandom as random } from "@starling/crypto-identity";
import { EXIT } from "@starling/daemon";
import { verifyStamp } from "@starling/hashcash";
import { envelopeDigest } from "@starling/wire-protocol";
import { MODES, type Mode } from "./forwarder.ts";
import { drive, envelope, openSocket, Peers, plainLoad } from "./load.ts";

const COUNT = 4_000;
const ROUNDS = 7;
/** What a Send of class 1024 makes on the wire. */
const DATAGRAM_BYTES = 1190;
const STAMPS = 20_000;
const IDLE_MS = 5_000;

export type BenchResult = {
  /** Messages a second, and the forwarder's CPU a message; one number a round. */
  readonly forwarding: Readonly<Record<Mode, { readonly perSecond: number[]; readonly cpuUs: number[] }>>;
  /** One number a round, in turn. */
  readonly stampUs: readonly number[];
  readonly digestAndStampUs: readonly number[];
  readonly peers: number;
  readonly rssBytes: number;
  readonly bytesPerPeer: number;
  /** Of one core, with all peers connected and nothing to do. */
  readonly idle: number;
};

/** Measures this program on this machine, on loopback: the relay beside two plain forwarders, in turn, in one run. */
export async function runBench(how: { readonly peers: number; readonly asJson: boolean }): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "starling-relay-bench-"));
  const children: ChildProcess[] = [];
  try {
    const result = await measure(folder, children, how.peers);
    process.stdout.write(how.asJson ? `${JSON.stringify(result)}\n` : benchText(result));
    return EXIT.ok;
  } finally {
    for (const child of children) child.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, children: ChildProcess[], peerCount: number): Promise<BenchResult> {
  const stamps = measureStamps();
  const started = new Map<Mode, { child: ChildProcess; port: number; id: string }>();
  for (const mode of MODES) {
    const child = fork(process.argv[1] ?? "", ["bench", "--child", mode, "--data-dir", folder]);
    children.push(child);
    const [{ port, id }] = await once(child, "message");
    started.set(mode, { child, port, id });
  }
  const relay = started.get("relay");
  if (relay === undefined) throw new Error("no relay");
  const peers = await Peers.open(relay.port, relay.id);
  await peers.connect(16);
  const forwarding = {
    plain: { perSecond: [] as number[], cpuUs: [] as number[] },
    aead: { perSecond: [] as number[], cpuUs: [] as number[] },
    relay: { perSecond: [] as number[], cpuUs: [] as number[] },
  };
  // The first round warms the code up and is not counted.
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [mode, { child, port }] of started) {
      const sends = mode === "relay" ? peers.sends(COUNT) : [];
      const before = await ask(child);
      const done = await (mode === "relay" ? throughRelay(peers, sends) : throughEcho(port));
      const { cpuUs } = await ask(child);
      if (done.received < COUNT * 0.9) throw new Error(`${mode}: only ${done.received} of ${COUNT} came back`);
      if (round < 0) continue;
      forwarding[mode].perSecond.push(done.received / done.seconds);
      forwarding[mode].cpuUs.push((cpuUs - before.cpuUs) / done.received);
    }
  }
  peers.close();
  return { forwarding, ...stamps, ...(await measurePeers(folder, children, peerCount)) };
}

function throughRelay(peers: Peers, sends: readonly (() => void)[]): ReturnType<typeof drive> {
  const onBack = (back: () => void): void => {
    peers.onSend = back;
  };
  return drive(sends, onBack, () => peers.tick());
}

async function throughEcho(port: number): ReturnType<typeof drive> {
  const socket = await openSocket();
  const sends = plainLoad(COUNT, DATAGRAM_BYTES).map((datagram) => () => socket.send(datagram, port, "127.0.0.1"));
  const done = await drive(
    sends,
    (back) => socket.on("message", back),
    () => undefined,
  );
  socket.close();
  return done;
}

async function measurePeers(
  folder: string,
  children: ChildProcess[],
  count: number,
): Promise<Pick<BenchResult, "peers" | "rssBytes" | "bytesPerPeer" | "idle">> {
  const child = fork(process.argv[1] ?? "", ["bench", "--child", "relay", "--data-dir", join(folder, "peers")]);
  children.push(child);
  const [{ port, id }] = await once(child, "message");
  const peers = await Peers.open(port, id);
  await peers.connect(16);
  const before = await ask(child, "memory");
  await peers.connect(count - 16);
  const after = await ask(child, "memory");
  const startedMono = performance.now();
  const pings = setInterval(() => peers.tick(), 100);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  clearInterval(pings);
  const { cpuUs } = await ask(child);
  peers.close();
  return {
    peers: count,
    rssBytes: after.rssBytes,
    bytesPerPeer: (after.rssBytes - before.rssBytes) / (count - 16),
    idle: (cpuUs - after.cpuUs) / 1000 / (performance.now() - startedMono),
  };
}

function measureStamps(): Pick<BenchResult, "stampUs" | "digestAndStampUs"> {
  const encoded = envelope(generateIdentity(random).id);
  const digest = envelopeDigest("bench", encoded);
  const nonce = random(8);
  const time = (run: () => void): number => {
    const started = performance.now();
    for (let i = 0; i < STAMPS; i += 1) run();
    return ((performance.now() - started) * 1000) / STAMPS;
  };
  const [stampUs, digestAndStampUs]: [number[], number[]] = [[], []];
  // The first round warms the code up and is not counted.
  for (let round = -1; round < ROUNDS; round += 1) {
    const alone = time(() => verifyStamp({ digest, effort: 16_384, nonce, floor: 16_384 }));
    const withDigest = time(() =>
      verifyStamp({ digest: envelopeDigest("bench", encoded), effort: 16_384, nonce, floor: 16_384 }),
    );
    if (round < 0) continue;
    stampUs.push(alone);
    digestAndStampUs.push(withDigest);
  }
  return { stampUs, digestAndStampUs };
}

async function ask(
  child: ChildProcess,
  what: "cpu" | "memory" = "cpu",
): Promise<{ readonly cpuUs: number; readonly rssBytes: number }> {
  const answer = once(child, "message");
  child.send(what);
  const [value] = await answer;
  return value;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function benchText({ forwarding, ...rest }: BenchResult): string {
  const [stampUs, digestAndStampUs] = [middle(rest.stampUs), middle(rest.digestAndStampUs)];
  const ratio = (mode: Mode): string => {
    const { perSecond } = forwarding[mode];
    return middle(forwarding.relay.perSecond.map((rate, round) => rate / (perSecond[round] ?? Number.NaN))).toFixed(2);
  };
  const line = (mode: Mode, what: string): string =>
    `  ${what.padEnd(46)}${Math.round(middle(forwarding[mode].perSecond)).toLocaleString("en-US").padStart(8)}/s  ${middle(forwarding[mode].cpuUs).toFixed(1)} µs of CPU each\n`;
  return [
    "messages of 800 B of content (datagrams of 1,190 B), on loopback\n",
    line("plain", "plain dgram forwarder"),
    line("aead", "the same, opened and sealed"),
    line("relay", "this relay: sessions, stamps, hop acks"),
    `  relay to plain ${ratio("plain")}, relay to opened and sealed ${ratio("aead")}\n`,
    `stamps: ${stampUs.toFixed(2)} µs each (${Math.round(1e6 / stampUs).toLocaleString("en-US")}/s), with the digest of the envelope ${digestAndStampUs.toFixed(2)} µs\n`,
    `peers: ${Math.round(rest.bytesPerPeer).toLocaleString("en-US")} bytes each; ${rest.peers} connected: ${Math.round(rest.rssBytes / 1e6)} MB, idle ${(100 * rest.idle).toFixed(1)} % of a core\n`,
  ].join("");
}
