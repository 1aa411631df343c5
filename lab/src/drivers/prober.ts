// A host's side of the laboratory's own checks: how a router maps and filters, whether two hosts reach each other, and what a wire does.
//   prober RENDEZVOUS_IP_1 RENDEZVOUS_IP_2
import { createSocket, type Socket } from "node:dgram";
import { now, type Params, serve } from "./serve.ts";

const PORTS: readonly [number, number] = [3478, 3479];
const [firstIp = "", secondIp = ""] = process.argv.slice(2);
const ANSWER_MS = 400;
const ASK_AGAIN_MS = 100;

async function withSocket<T>(port: number, use: (socket: Socket) => Promise<T>): Promise<T> {
  const socket = createSocket("udp4");
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.bind(port, resolve));
  try {
    return await use(socket);
  } finally {
    socket.close();
  }
}

let nonces = 0;

/** Where the server sees us, or undefined when no answer comes; `via` has another of its addresses answer. */
function mapped(socket: Socket, ip: string, port: number, via?: string): Promise<string | undefined> {
  nonces += 1;
  const nonce = nonces;
  return new Promise((resolve) => {
    const ask = () => socket.send(JSON.stringify({ t: "map", nonce, via }), port, ip);
    const hear = (bytes: Buffer) => {
      const answer = JSON.parse(bytes.toString());
      if (answer.nonce === nonce) end(`${answer.ip}:${answer.port}`);
    };
    const again = setInterval(ask, ASK_AGAIN_MS);
    const late = setTimeout(() => end(undefined), ANSWER_MS);
    const end = (result: string | undefined) => {
      clearInterval(again);
      clearTimeout(late);
      socket.off("message", hear);
      resolve(result);
    };
    socket.on("message", hear);
    ask();
  });
}

/** RFC 4787 §4.1 and §5, as RFC 5780 finds it out. */
async function classify(): Promise<object> {
  const { mapping, seen } = await withSocket(0, async (socket) => {
    const a = await mapped(socket, firstIp, PORTS[0]);
    const b = await mapped(socket, firstIp, PORTS[1]);
    const c = await mapped(socket, secondIp, PORTS[0]);
    if (a === undefined) return { mapping: "blocked", seen: "" };
    return { mapping: a !== c ? (a !== b ? "address-port" : "address") : "independent", seen: a };
  });
  if (mapping === "blocked") return { mapping, filtering: "blocked", seen };
  const filtering = await withSocket(0, async (socket) => {
    await mapped(socket, firstIp, PORTS[0]);
    if ((await mapped(socket, firstIp, PORTS[0], "1:0")) !== undefined) return "independent";
    if ((await mapped(socket, firstIp, PORTS[0], "0:1")) !== undefined) return "address";
    return "address-port";
  });
  return { mapping, filtering, seen };
}

/** A mapping, then silence, then an answer to where the mapping was: whether it was let in. */
async function outlives({ silenceMs }: Params): Promise<object> {
  return withSocket(0, async (socket) => {
    const before = await mapped(socket, firstIp, PORTS[0]);
    await new Promise((resolve) => setTimeout(resolve, Number(silenceMs)));
    // The question itself goes out by another socket and asks for an answer to the first one's mapping.
    const [ip = "", port = ""] = (before ?? "").split(":");
    const arrived = new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), ANSWER_MS);
      socket.once("message", () => {
        clearTimeout(late);
        resolve(true);
      });
    });
    await withSocket(0, async (other) => {
      await new Promise((resolve) => other.send(JSON.stringify({ t: "tell", ip, port }), PORTS[0], firstIp, resolve));
      return arrived;
    });
    return { isAlive: await arrived };
  });
}

/** Both hosts send to the address that the rendezvous saw, and answer to wherever a datagram came from (peer-reflexive). */
function punch({ me, other, port, forMs }: Params): Promise<object> {
  return withSocket(Number(port), (socket) => {
    const startedMs = now();
    let peer: { ip: string; port: number } | undefined;
    let reflexive: { ip: string; port: number } | undefined;
    let isDirect = false;
    let isHeard = false;
    let isPassed = false;
    let directMs = 0;
    const send = (message: object, ip: string, to: number) => socket.send(JSON.stringify(message), to, ip);
    socket.on("message", (bytes, from) => {
      const message = JSON.parse(bytes.toString());
      if (message.t === "peer") peer = { ip: message.ip, port: message.port };
      if (message.t === "passed" && message.from === other) isPassed = true;
      if (message.t === "punch" && message.from === me) return;
      if (message.from !== other) return;
      if (message.t === "punch") {
        reflexive = { ip: from.address, port: from.port };
        isHeard = true;
        send({ t: "heard", from: me }, from.address, from.port);
      }
      if (message.t === "heard" && !isDirect) {
        isDirect = true;
        directMs = now() - startedMs;
      }
    });
    return new Promise((resolve) => {
      const turn = () => {
        send({ t: "meet", from: me, to: other }, firstIp, PORTS[0]);
        send({ t: "pass", from: me, to: other }, firstIp, PORTS[0]);
        for (const to of [peer, reflexive]) if (to !== undefined) send({ t: "punch", from: me }, to.ip, to.port);
        // Goes on for a while after it has got through, for the other's sake.
        const isOver = now() - startedMs > (isDirect && isHeard ? directMs + 300 : Number(forMs));
        if (!isOver) return;
        clearInterval(every);
        resolve({ isDirect, isPassed, ms: Math.round(directMs) });
      };
      const every = setInterval(turn, 50);
      turn();
    });
  });
}

const HEADER_BYTES = 12;
let sink: { socket: Socket; arrivals: { seq: number; delayMs: number; atMs: number }[] } | undefined;

/** Notes what arrives from `blast`, until `collect`. */
async function listen({ port }: Params): Promise<object> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(Number(port), resolve));
  socket.setRecvBufferSize(4 << 20);
  const arrivals: { seq: number; delayMs: number; atMs: number }[] = [];
  socket.on("message", (bytes) => {
    const atMs = now();
    arrivals.push({ seq: bytes.readUInt32BE(0), delayMs: atMs - bytes.readDoubleBE(4), atMs });
  });
  sink = { socket, arrivals };
  return {};
}

function collect(): object {
  sink?.socket.close();
  return { arrivals: sink?.arrivals.map(({ seq, delayMs, atMs }) => [seq, delayMs, atMs]) ?? [] };
}

/** Numbered, timed datagrams at a rate. The clocks of all namespaces are one. */
function blast({ ip, port, count, perSecond, sizeBytes }: Params): Promise<object> {
  return withSocket(0, async (socket) => {
    socket.setSendBufferSize(4 << 20);
    const startedMs = now();
    for (let seq = 0; seq < Number(count); ) {
      const due = Math.min(Number(count), ((now() - startedMs) * Number(perSecond)) / 1_000);
      for (; seq < due; seq += 1) {
        const bytes = Buffer.alloc(Math.max(HEADER_BYTES, Number(sizeBytes)));
        bytes.writeUInt32BE(seq, 0);
        bytes.writeDoubleBE(now(), 4);
        socket.send(bytes, Number(port), String(ip));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return { seconds: (now() - startedMs) / 1_000 };
  });
}

/** Answers every datagram with `factor` times its bytes: what the meter has to notice. */
async function reflect({ port, factor }: Params): Promise<object> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => {
    socket.send(Buffer.alloc(Math.round(bytes.length * Number(factor))), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(Number(port), resolve));
  return {};
}

/** For what needs time and no event tells of. */
async function rest({ ms }: Params): Promise<object> {
  await new Promise((resolve) => setTimeout(resolve, Number(ms)));
  return {};
}

serve({ rest, classify, outlives, punch, listen, collect, blast, reflect });
