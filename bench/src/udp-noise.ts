// Datagrams that nobody wants, at a steady rate, from a process of its own (JavaScript; no C needed at these rates).
//
//   garbage   half of it random bytes of any length, half of the length and kind of a real datagram
//   hellos    well-formed Hellos of ever new keys to the receiver's id, mac1 and all: what costs a DH where it is let through
//
// { mode, id, port, perSecond, seconds } comes over the pipe; "begun" is answered when all is prepared, "done" at the end.
import { randomFillSync, randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { generateIdentity, type NodeId } from "@starling/crypto-identity";
import { createSessionCrypto, SessionTable } from "@starling/session";

type Order = {
  readonly mode: "garbage" | "hellos";
  readonly id: NodeId;
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
};

const LENGTHS = [37, 57, 100, 829, 1_200];
const STEP_MS = 4;
const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
const noise = random(1 << 20);

process.once("message", ({ mode, id, port, perSecond, seconds }: Order) => {
  const total = perSecond * seconds;
  const hellos = mode === "hellos" ? Array.from({ length: total }, () => helloTo(id, port)) : [];
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1", () => {
    process.send?.("begun");
    const started = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - started) * perSecond) / 1_000));
      for (; sent < due; sent += 1) socket.send(hellos[sent] ?? garbage(sent), port, "127.0.0.1", () => undefined);
      if (sent < total) return;
      clearInterval(timer);
      process.send?.("done");
      process.disconnect();
      socket.close();
    }, STEP_MS);
  });
});

function garbage(index: number): Uint8Array {
  const isShaped = index % 2 === 0;
  const sizeBytes = isShaped ? (LENGTHS[index % LENGTHS.length] ?? 0) : randomInt(1, 1_400);
  const at = randomInt(noise.length - sizeBytes);
  const bytes = noise.slice(at, at + sizeBytes);
  if (isShaped) bytes[0] = 0x50 + (index % 4);
  return bytes;
}

function helloTo(id: NodeId, port: number): Uint8Array {
  const crypto = createSessionCrypto({ identity: generateIdentity(random), network: "bench", random });
  const owner = { pongBody: () => new Uint8Array(0), nodesBody: () => new Uint8Array(0) };
  const table = new SessionTable({ crypto, random, owner });
  const now = { mono: performance.now(), wall: Date.now() };
  table.connect(id, { ip: "127.0.0.1", port }, now);
  return table.flush(now)[0]?.datagram ?? new Uint8Array(0);
}
