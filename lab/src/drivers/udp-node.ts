// A node that is udp-transport and nothing more, over its public API. Its key is made here and leaves it only as an id.
//   udp-node NETWORK PORT
import { randomFillSync } from "node:crypto";
import { generateIdentity, parseNodeId } from "@starling/crypto-identity";
import { createSecureUdp } from "@starling/udp-transport";
import { now, type Params, say, serve } from "./serve.ts";

const [network = "lab", port = "0"] = process.argv.slice(2);
const HEADER_BYTES = 16;
/** Sends that wait for their acknowledgement; above it the rest of what is due waits here. */
const OUTSTANDING_MAX = 3_000;

type Flow = { readonly times: Map<number, number>; first: number; last: number; longestGap: number; repeated: number };
/** What arrived, by the number that the sender gave the flow. */
const flows = new Map<number, Flow>();

function receive(bytes: Uint8Array): void {
  // Not of a flow: somebody tries something.
  if (bytes.length < HEADER_BYTES) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint32(0);
  const seq = view.getUint32(4);
  const atMs = now();
  const flow = flows.get(number) ?? { times: new Map(), first: atMs, last: atMs, longestGap: 0, repeated: 0 };
  flows.set(number, flow);
  if (flow.times.has(seq)) flow.repeated += 1;
  else flow.times.set(seq, atMs - view.getFloat64(8));
  flow.longestGap = Math.max(flow.longestGap, atMs - flow.last);
  flow.last = atMs;
}

const newIdentity = () => generateIdentity((sizeBytes) => randomFillSync(new Uint8Array(sizeBytes)));
const secure = await createSecureUdp({
  identity: newIdentity(),
  network,
  host: "0.0.0.0",
  port: Number(port),
  onMessage: ({ bytes }) => receive(bytes),
  onSession: ({ type, ...event }) => say({ type, atMs: now(), ...event }),
  onError: (error) => say({ type: "error", message: error.message }),
});

async function connect({ id, ip, port: to }: Params): Promise<object> {
  const startedMs = now();
  await secure.connect(parseNodeId(String(id)), { ip: String(ip), port: Number(to) });
  return { ms: now() - startedMs };
}

/** The same as somebody new, who leaves again. */
async function visit({ id, ip, port: to }: Params): Promise<object> {
  const visitor = await createSecureUdp({ identity: newIdentity(), network, host: "0.0.0.0", port: 0 });
  const startedMs = now();
  try {
    await visitor.connect(parseNodeId(String(id)), { ip: String(ip), port: Number(to) });
    return { ms: now() - startedMs };
  } finally {
    await visitor.close();
  }
}

/** `count` messages, as fast as they are acknowledged or `perSecond`; answers when the fate of each is known. */
async function send({ id, flow, count, sizeBytes, perSecond }: Params): Promise<object> {
  const to = parseNodeId(String(id));
  const of = Number(count);
  const rate = perSecond === undefined ? Number.POSITIVE_INFINITY : Number(perSecond);
  const bytes = new Uint8Array(Math.max(HEADER_BYTES, Number(sizeBytes)));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number(flow));
  const startedMs = now();
  let acknowledged = 0;
  let failed = 0;
  let sent = 0;
  let inTime = 0;
  let wake: () => void = () => undefined;
  const one = (seq: number): void => {
    view.setUint32(4, seq);
    view.setFloat64(8, now());
    secure
      .send(to, bytes)
      .then(
        () => {
          acknowledged += 1;
          if (now() - startedMs <= (of / rate) * 1_000) inTime += 1;
        },
        () => {
          failed += 1;
        },
      )
      .finally(() => wake());
  };
  while (acknowledged + failed < of) {
    const due = Math.min(of, ((now() - startedMs) / 1_000) * rate + 1);
    for (; sent < due && sent - acknowledged - failed < OUTSTANDING_MAX; sent += 1) one(sent);
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (sent < of) setTimeout(resolve, 2);
    });
  }
  return { acknowledged, inTime, failed, seconds: (now() - startedMs) / 1_000 };
}

/** What came of a flow: how many, how many twice, half, 99 % and all of them within what time, from first to last, the longest pause. */
function received({ flow: number }: Params): object {
  const flow = flows.get(Number(number));
  if (flow === undefined) return { unique: 0, repeated: 0, spanMs: 0, longestGapMs: 0, latenciesMs: [] };
  const sorted = [...flow.times.values()].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  const latenciesMs = [at(0.5), at(0.99), at(1)];
  const spanMs = flow.last - flow.first;
  return { unique: flow.times.size, repeated: flow.repeated, spanMs, longestGapMs: flow.longestGap, latenciesMs };
}

async function close(): Promise<object> {
  await secure.close();
  return {};
}

serve(
  {
    connect,
    visit,
    send,
    received,
    close,
    counters: () => Object.fromEntries(secure.counters),
    sessions: () => ({ sessions: secure.sessions() }),
  },
  { id: secure.id, port: secure.address.port },
);
