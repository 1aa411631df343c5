// One table with two links, fed whatever an attacker has: see udp-garbage.ts, which says how many and asks how it went.
import { randomFillSync } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { generateIdentity } from "@starling/crypto-identity";
import { createSessionCrypto, SessionTable, type Transmit } from "@starling/session";
import type { Address } from "@starling/wire-protocol";

const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
const now = (): { readonly mono: number; readonly wall: number } => ({ mono: performance.now(), wall: Date.now() });
const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };
/** Honest datagrams before memory is first looked at: what a node has that is at work. */
const WARM_UP = 300_000;
const noise = random(4 << 20);

type Party = {
  readonly id: ReturnType<typeof createSessionCrypto>["id"];
  readonly address: Address;
  readonly table: SessionTable;
};

function party(ip: string): Party {
  const crypto = createSessionCrypto({ identity: generateIdentity(random), network: "bench", random });
  return { id: crypto.id, address: { ip, port: 4_000 }, table: new SessionTable({ crypto, random, owner }) };
}

const victim = party("192.0.2.1");
const peers = [party("198.51.100.1"), party("203.0.113.1")];
/** Every datagram that honest ends ever sent: what an attacker copies, cuts and bends. BOUNDED: by the last 200. */
const genuine: Uint8Array[] = [];

function carry(from: Party, to: Party): number {
  const sent: Transmit[] = from.table.flush(now()).filter(({ to: address }) => address.ip === to.address.ip);
  let frames = 0;
  for (const { datagram } of sent) {
    genuine.push(datagram.slice());
    if (genuine.length > 200) genuine.shift();
    const events = to.table.receive(datagram, from.address, now());
    frames += events.filter((event) => event.type === "frame" && event.frame.kind === 0x85).length;
  }
  return frames;
}

/** Both links carry a frame each way, and what else is due. */
function converse(): boolean {
  let arrived = 0;
  for (const peer of peers) {
    if (victim.table.get(peer.id) === undefined) peer.table.connect(victim.id, victim.address, now());
    for (let turn = 0; turn < 3; turn += 1) {
      if (turn === 2) {
        peer.table.send(victim.id, { kind: 0x85, body: random(500) }, now());
        victim.table.send(peer.id, { kind: 0x85, body: random(2_000) }, now());
      }
      for (const { table } of [peer, victim]) table.tick(now());
      arrived += carry(peer, victim) + carry(victim, peer);
    }
    arrived += carry(peer, victim);
  }
  return arrived >= 2 * peers.length;
}

let seed = 1;
/** xorshift: an index below `limit`; what is drawn need not be unforeseeable, only varied. */
function below(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}

/** The one buffer that all of it is written to, so that the memory measured is the table's and not this generator's. */
const datagram = new Uint8Array(2_048);

function copied(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  datagram.set(sizeBytes < bytes.length ? bytes.subarray(0, sizeBytes) : bytes);
  return datagram.subarray(0, sizeBytes);
}

function bad(): Uint8Array {
  const at = below(noise.length - 1_500);
  const known = genuine[below(genuine.length)] ?? noise.subarray(0, 1_200);
  switch (below(6)) {
    case 0:
      return copied(noise.subarray(at), 1 + below(1_499));
    case 1: {
      const shaped = copied(noise.subarray(at), [20, 37, 57, 200, 1_200][below(5)] ?? 37);
      shaped[0] = [0x50, 0x51, 0x52, 0x53, 0x00][below(5)] ?? 0;
      return shaped;
    }
    case 2:
      return copied(known, known.length);
    case 3:
      return copied(known, below(known.length));
    default: {
      const bent = copied(known, known.length);
      for (let count = 1 + below(3); count > 0; count -= 1) {
        const where = below(bent.length);
        bent[where] = (bent[where] ?? 0) ^ (1 << below(8));
      }
      return bent;
    }
  }
}

/** In portions, as a socket hands them over, with what else the loop has to do between them. */
async function feed(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const from = { ip: `${1 + below(220)}.${below(256)}.${below(256)}.${below(256)}`, port: below(65_536) };
    victim.table.receive(bad(), below(4) === 0 ? (peers[below(2)]?.address ?? from) : from, now());
    victim.table.flush(now());
    if (index % 1_000 !== 0) continue;
    converse();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function rssBytes(): number {
  return process.memoryUsage.rss();
}

function liveBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

while (!converse());
for (let index = 0; index < WARM_UP; index += 1) {
  const [peer] = peers;
  if (peer === undefined) break;
  peer.table.send(victim.id, { kind: 0x7f, body: noise.subarray(0, 1_000) }, now());
  carry(peer, victim);
  if (index % 100 !== 0) continue;
  converse();
  await new Promise((resolve) => setImmediate(resolve));
}
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
collect();
const before = rssBytes();
const liveBefore = liveBytes();
let datagrams = 0;
let grownBytes = 0;
let keptBytes = 0;
let grownLiveBytes = 0;
process.on("message", async (order: { readonly datagrams: number }) => {
  const started = performance.now();
  await feed(order.datagrams);
  datagrams += order.datagrams;
  grownBytes = Math.max(grownBytes, rssBytes() - before);
  collect();
  keptBytes = Math.max(keptBytes, rssBytes() - before);
  grownLiveBytes = Math.max(grownLiveBytes, liveBytes() - liveBefore);
  const perSecond = (order.datagrams * 1_000) / (performance.now() - started);
  process.send?.({ datagrams, grownBytes, keptBytes, liveBytes: grownLiveBytes, perSecond, isAlive: converse() });
});
process.on("disconnect", () => process.exit(0));
