// A peer whose datagrams the scenario may take out of its hands: a session over a plain socket, sealed datagrams as hex instead of
// sent, and STUN questions from the same address.
//   session-client NETWORK
import { randomBytes, randomFillSync } from "node:crypto";
import { createSocket } from "node:dgram";
import { generateIdentity, parseNodeId } from "@starling/crypto-identity";
import { createSessionCrypto, type SessionEvent, SessionTable } from "@starling/session";
import { bytesToHex, encodeMessage, FRAME_KIND, signNodeRecord } from "@starling/wire-protocol";
import { addressInAnswer, stunBindingRequest } from "../stun.ts";
import { type Params, say, serve } from "./serve.ts";

const [network = "lab"] = process.argv.slice(2);
const random = (sizeBytes: number) => randomFillSync(new Uint8Array(sizeBytes));
const identity = generateIdentity(random);
const table = new SessionTable({
  crypto: createSessionCrypto({ identity, network, random }),
  random,
  owner: { pongBody: ({ echo }) => echo, nodesBody: () => new Uint8Array(0) },
});
const socket = createSocket("udp4");
let isMute = false;
let stunAnswers = 0;
let stunAddresses = new Set<string>();
let sequence = Date.now();
let waiting: ((isOpen: boolean) => void) | undefined;

const time = () => ({ mono: performance.now(), wall: Date.now() });

function settle(events: SessionEvent[]): void {
  for (const { to, datagram } of table.flush(time())) if (!isMute) socket.send(datagram, to.port, to.ip);
  for (const event of events) {
    if (event.type === "opened" || event.type === "unreachable") waiting?.(event.type === "opened");
    if (event.type === "opened" || event.type === "moved" || event.type === "closed") say({ type: event.type });
  }
}

socket.on("message", (bytes, from) => {
  const seen = addressInAnswer(bytes);
  if (seen !== undefined) {
    stunAnswers += 1;
    stunAddresses.add(seen);
    return;
  }
  settle(table.receive(bytes, { ip: from.address, port: from.port }, time()));
});
setInterval(() => {
  const due = table.nextDeadline();
  if (due !== null && due <= performance.now()) settle(table.tick(time()));
}, 5);

async function connect({ id, ip, port }: Params): Promise<object> {
  const opened = new Promise<boolean>((resolve) => {
    waiting = resolve;
  });
  table.connect(parseNodeId(String(id)), { ip: String(ip), port: Number(port) }, time());
  settle([]);
  if (!(await opened)) throw new Error("unreachable");
  return {};
}

/** Queues a message of this size and hands over the datagrams that carry it; sends them as well unless it is mute. */
function seal({ id, sizeBytes }: Params): object {
  const body = random(Number(sizeBytes));
  table.send(parseNodeId(String(id)), { kind: FRAME_KIND.direct, body }, time());
  const datagrams = table.flush(time()).map(({ to, datagram }) => {
    if (!isMute) socket.send(datagram, to.port, to.ip);
    return bytesToHex(datagram);
  });
  return { datagrams };
}

/** Says of itself that it can be reached at somebody else's address: a record, signed and newer than the last, and contacts. */
function name({ id, ip, port, count }: Params): object {
  const address = { ip: String(ip), port: Number(port) };
  for (let i = 0; i < Number(count); i += 1) {
    sequence += 1;
    const record = signNodeRecord({ identity, network, sequence, role: "node", addresses: [address], random });
    const announce = encodeMessage({ type: "announce", anchor: true, record });
    const contacts = Array.from({ length: 8 }, () => ({ id: generateIdentity(random).id, address }));
    table.send(parseNodeId(String(id)), announce, time());
    table.send(parseNodeId(String(id)), encodeMessage({ type: "nodes", query: 0, attached: true, contacts }), time());
  }
  settle([]);
  return {};
}

/** From now on it sends nothing, whatever arrives. */
function mute(): object {
  isMute = true;
  return {};
}

/** STUN questions at a rate; answers with how many were answered, and what they said. */
async function stun({ ip, port, count, perSecond }: Params): Promise<object> {
  stunAnswers = 0;
  stunAddresses = new Set();
  for (let i = 0; i < Number(count); i += 1) {
    socket.send(stunBindingRequest(randomBytes(12)), Number(port), String(ip));
    await new Promise((resolve) => setTimeout(resolve, 1_000 / Number(perSecond)));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { answers: stunAnswers, addresses: [...stunAddresses] };
}

await new Promise<void>((resolve) => socket.bind(0, resolve));
serve({ connect, seal, name, mute, stun }, { id: identity.id, port: socket.address().port });
