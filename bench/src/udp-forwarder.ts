// A UDP forwarder in a process of its own, for udp-forward.ts: what comes from a source goes on to its sink.
//
//   plain      dgram alone: receive, look the source up, send
//   sessions   the same with sessions on both sides: open under one key, seal under another
//   null       sessions whose AEAD copies and no more: what the rest of a session costs

import { randomFillSync } from "node:crypto";
import { createSocket } from "node:dgram";
import { identityFromSeed, type NodeId } from "@starling/crypto-identity";
import { createSessionCrypto, SessionTable } from "@starling/session";
import { openUdpSocket } from "@starling/udp-transport";
import { withoutAead } from "./udp-null-aead.ts";

type Command = { readonly type: "route"; readonly from: NodeId; readonly to: NodeId } | { readonly type: "cpu" };

const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
const mode = process.argv[2];
const routes = new Map<NodeId, NodeId>();

const port = mode === "plain" ? await runPlain() : await runSessions(mode === "null");
process.on("message", (command: Command) => {
  if (command.type === "route") routes.set(command.from, command.to);
  else process.send?.({ type: "cpu", ...process.cpuUsage() });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ type: "ready", port });

/** Back to where it came from: the generator is source and sink. */
async function runPlain(): Promise<number> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    lookup: (literal, family, done) => done(null, literal, Number(family)),
  });
  const sinks = new Map<string, { readonly ip: string; readonly port: number }>();
  socket.on("message", (bytes, remote) => {
    const key = `${remote.address}:${remote.port}`;
    let sink = sinks.get(key);
    if (sink === undefined) {
      sink = { ip: remote.address, port: remote.port };
      sinks.set(key, sink);
    }
    socket.send(bytes, sink.port, sink.ip);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket.address().port;
}

async function runSessions(isNull: boolean): Promise<number> {
  const crypto = createSessionCrypto({
    identity: identityFromSeed(new Uint8Array(32).fill(1)),
    network: "bench",
    random,
  });
  const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };
  const table = new SessionTable({ crypto: isNull ? withoutAead(crypto) : crypto, random, owner });
  let timer: NodeJS.Timeout | undefined;
  let timerMono = Number.POSITIVE_INFINITY;
  const socket = await openUdpSocket({
    host: "127.0.0.1",
    port: 0,
    onDatagram(bytes, from) {
      const now = { mono: performance.now(), wall: Date.now() };
      for (const event of table.receive(bytes, from, now)) {
        if (event.type !== "frame") continue;
        const to = routes.get(event.peer);
        if (to !== undefined) table.send(to, event.frame, now);
      }
      settle(now);
    },
  });
  const settle = (now: { readonly mono: number; readonly wall: number }): void => {
    for (const { to, datagram } of table.flush(now)) socket.send(datagram, to);
    const dueMono = table.nextDeadline();
    if (dueMono === null || dueMono >= timerMono) return;
    clearTimeout(timer);
    timerMono = dueMono;
    timer = setTimeout(tick, Math.max(0, Math.ceil(dueMono - now.mono)));
  };
  const tick = (): void => {
    timerMono = Number.POSITIVE_INFINITY;
    const now = { mono: performance.now(), wall: Date.now() };
    table.tick(now);
    settle(now);
  };
  return socket.address.port;
}
