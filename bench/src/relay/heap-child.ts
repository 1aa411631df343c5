import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { generateIdentity, type NodeId, systemRandom as random, sha256 } from "@starling/crypto-identity";
import { RelayCore, type RelayCoreInput } from "@starling/node-core";
import { createSessionCrypto, SessionTable } from "@starling/session";
import { type Address, encodeEnvelope, encodeMessage, encodeSend, FRAME_KIND, lockOf } from "@starling/wire-protocol";
import { withoutAead } from "../udp-null-aead.ts";

// The core of a relay in virtual time, without sockets, and eight peers: four sources, each with a sink. Sessions are real, only that
// Data is copied instead of encrypted. Tells its heap whenever it has forwarded as many as it is asked for.

const PAIRS = 4;
const BATCH = 8;
/** Of virtual time for a batch of each source: 5,333 messages a second. */
const BATCH_MS = 6;
const SEALED_BYTES = 1024;
const RELAY: Address = { ip: "10.0.0.1", port: 4100 };
const MANY = { messagesPerSecond: 1e9, bytesPerSecond: 1e12 };
const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

const clock = { mono: 1_000, wall: Date.now() };
const identity = generateIdentity(random);
const core = new RelayCore(
  {
    ...{ identity, network: "bench", bootstrap: [], announce: [], maxNeighbours: 64, passive: true, random },
    crypto: withoutAead(createSessionCrypto({ identity, network: "bench", random })),
    // The stamps of the load are as dear to check as any, and free to make.
    floor: () => 1,
    quota: { link: MANY, recipient: MANY, total: MANY },
  },
  clock,
);

type Peer = { readonly id: NodeId; readonly table: SessionTable; readonly address: Address };

const peers = new Map<string, Peer>();
const pairs = Array.from({ length: PAIRS }, (_, pair) => ({
  source: openPeer(2 * pair),
  sink: openPeer(2 * pair + 1),
}));
const sealedBody = random(SEALED_BYTES);
const nonce = random(8);
let acknowledged = 0;
let submitted = 0;

function openPeer(at: number): Peer {
  const own = generateIdentity(random);
  const crypto = withoutAead(createSessionCrypto({ identity: own, network: "bench", random }));
  const address = { ip: `10.0.1.${at + 1}`, port: 4100 };
  const peer = { id: own.id, table: new SessionTable({ crypto, random, owner }), address };
  peers.set(address.ip, peer);
  peer.table.connect(identity.id, RELAY, clock);
  return peer;
}

/** What peers send reaches the relay, and what it sends them, until nobody has anything to say. */
function exchange(): void {
  for (;;) {
    const inputs: RelayCoreInput[] = [...peers.values()].flatMap(({ table, address }) =>
      table.flush(clock).map(({ datagram }) => ({ type: "datagram", bytes: datagram, from: address }) as const),
    );
    const isDue = (core.nextDeadline() ?? Number.POSITIVE_INFINITY) <= clock.mono;
    if (inputs.length === 0 && !isDue) return;
    const outputs = [...core.handleAll(inputs, clock), ...(isDue ? core.tick(clock) : [])];
    for (const output of outputs) {
      const peer = output.type === "transmit" ? peers.get(output.to.ip) : undefined;
      if (output.type !== "transmit" || peer === undefined) continue;
      for (const event of peer.table.receive(output.datagram, RELAY, clock)) {
        if (event.type !== "frame") continue;
        if (event.frame.kind === FRAME_KIND.sendAck) acknowledged += 1;
        if (event.frame.kind === FRAME_KIND.send) answer(peer, event.frame.body);
      }
    }
  }
}

/** t stands where the sealed body begins. */
function answer({ table }: Peer, body: Uint8Array): void {
  const t = body.slice(body.length - SEALED_BYTES, body.length - SEALED_BYTES + 16);
  table.send(identity.id, encodeMessage({ type: "send-ack", t, hops: 2 }), clock);
}

function submit(source: Peer, recipient: NodeId): void {
  const t = sha256(new TextEncoder().encode(`${submitted}`)).subarray(0, 16);
  submitted += 1;
  sealedBody.set(t);
  const envelope = { recipient, lock: lockOf(t), timestampMs: clock.wall, effort: 1, nonce, sealedBody };
  const body = encodeSend({ hops: 0, last: false, nonImproving: 0, encodedEnvelope: encodeEnvelope(envelope) });
  source.table.send(identity.id, { kind: FRAME_KIND.send, body }, clock);
}

function step(messages: number): void {
  for (const { source, sink } of pairs) for (let i = 0; i < messages; i += 1) submit(source, sink.id);
  exchange();
  clock.mono += BATCH_MS;
  clock.wall += BATCH_MS;
  for (const { table } of peers.values()) {
    if ((table.nextDeadline() ?? Number.POSITIVE_INFINITY) <= clock.mono) table.tick(clock);
  }
}

process.on("message", ({ target }: { readonly target: number }) => {
  while (acknowledged < target && submitted < target + 1_000) step(BATCH);
  collect();
  const { heapUsed: heapBytes } = process.memoryUsage();
  process.send?.({ acknowledged, heapBytes, handles: process.getActiveResourcesInfo().length });
});
process.on("disconnect", () => process.exit(0));
// Sessions open, and settle.
for (let i = 0; i < 200; i += 1) step(0);
process.send?.({ isReady: true });
