// A stranger at full rate, in a process of its own. It is told over the pipe what to send; "begun" is answered when all is prepared,
// and at the end how many left.
//
//   garbage   half of it random bytes of any length, half of the length and kind of a real datagram
//   mutants   copies of genuine datagrams: as they were, cut, or with bits turned
//   hellos    a tenth of them good Hellos of ever new keys, the others with a right mac1 around noise: all cost a DH if let through
import { randomFillSync, randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import type { NodeId } from "@starling/crypto-identity";
import { validHellos } from "@starling/lab/datagrams";
import { encodeHello, HELLO_MESSAGE_BYTES } from "@starling/wire-protocol";
import type { Target } from "../attack.ts";
import { writeMac1 } from "./crafted-peer.ts";

export type Order = {
  readonly mode: "garbage" | "mutants" | "hellos";
  readonly target: Target;
  readonly network: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** From how many addresses of 127.0.0.0/8, where the target is there. */
  readonly sources: number;
  /** Hex. */
  readonly genuine: readonly string[];
};

const SIZES = [37, 57, 100, 829, 1_200];
const STEP_MS = 4;
const PREPARED_MAX = 2_000;
const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
const noise = random(1 << 20);

process.once("message", async (order: Order) => {
  const { target, perSecond, seconds, mode, network } = order;
  const total = perSecond * seconds;
  const good = mode === "hellos" ? validHellos(target.id, network, Math.min(PREPARED_MAX, total / 10), random) : [];
  const genuine = order.genuine.map((hex) => Buffer.from(hex, "hex"));
  const next = (index: number): Uint8Array => {
    if (mode === "garbage") return garbage(index);
    if (mode === "mutants") return mutant(genuine[randomInt(genuine.length)] ?? garbage(index));
    return (index % 10 === 0 ? good[index / 10] : undefined) ?? noisyHello(target.id);
  };
  const sockets = await Promise.all(Array.from({ length: order.sources }, (_, index) => open(target, index)));
  process.send?.("begun");
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) * perSecond) / 1_000));
    const { ip, port } = target.address;
    // What this process could not send in time is not made up for at twice the rate.
    const least = Math.max(sent, due - Math.ceil((perSecond * 10 * STEP_MS) / 1_000));
    for (let index = least; index < due; index += 1) {
      sockets[index % sockets.length]?.send(next(index), port, ip, () => undefined);
      count += 1;
    }
    sent = due;
    if (sent < total) return;
    clearInterval(timer);
    process.send?.({ sent: count });
    process.disconnect();
    for (const socket of sockets) socket.close();
  }, STEP_MS);
});
let count = 0;

function open({ address }: Target, index: number): Promise<Socket> {
  const isSix = address.ip.includes(":");
  const socket = createSocket(isSix ? "udp6" : "udp4");
  const isLoopback = address.ip.startsWith("127.");
  const ip = isLoopback ? `127.${1 + (index >> 8)}.${index & 255}.${1 + (index % 250)}` : undefined;
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port: 0, ...(ip === undefined ? {} : { address: ip }) }, () => resolve(socket));
  });
}

function garbage(index: number): Uint8Array {
  const isShaped = index % 2 === 0;
  const sizeBytes = isShaped ? (SIZES[index % SIZES.length] ?? 0) : randomInt(1, 1_400);
  const at = randomInt(noise.length - sizeBytes);
  const bytes = noise.slice(at, at + sizeBytes);
  if (isShaped) bytes[0] = 0x50 + (index % 4);
  return bytes;
}

function mutant(genuine: Uint8Array): Uint8Array {
  const bytes = genuine.slice(0, randomInt(4) === 0 ? randomInt(genuine.length) : genuine.length);
  for (let turns = randomInt(4); turns > 0 && bytes.length > 0; turns -= 1) {
    const at = randomInt(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << randomInt(8));
  }
  return bytes;
}

function noisyHello(id: NodeId): Uint8Array {
  const at = randomInt(noise.length - HELLO_MESSAGE_BYTES);
  const message = noise.slice(at, at + HELLO_MESSAGE_BYTES);
  // The top bit of a public key is not in use.
  message[31] = (message[31] ?? 0) & 0x7f;
  const hello = encodeHello(randomInt(2 ** 32), message);
  writeMac1(hello, id);
  return hello;
}
