// What `npm run fuzz` feeds to a table with an open link. Its cryptography is a stand-in that seals nothing, so that every mutant
// gets as far as what an authenticated and hostile neighbour could send.
import { type Aead, identityFromSeed, type NodeId, nodeIdFromBytes, nodeIdToBytes } from "@starling/crypto-identity";
import {
  DATA_HEADER_BYTES,
  encodeDataHeader,
  FRAME_KIND,
  frameSizeBytes,
  isReliable,
  writeFrame,
} from "@starling/wire-protocol";
import { type Now, type SessionCrypto, type SessionEvent, SessionTable } from "../src/index.ts";
import { encodeBindingAnswer, readBindingRequest } from "../src/stun.ts";

const TAG_BYTES = 16;
const plain: Aead = {
  seal: (_counter, _header, plaintext) => Uint8Array.from([...plaintext, ...new Uint8Array(TAG_BYTES)]),
  open: (_counter, _header, ciphertext) =>
    ciphertext.length < TAG_BYTES ? undefined : ciphertext.subarray(0, ciphertext.length - TAG_BYTES),
};
const keys = { send: plain, receive: plain, handshakeHash: new Uint8Array(32) };
const zeros32 = new Uint8Array(32);

/** Message 1 says who wrote it, and its payload; message 2 its payload. */
function standIn(id: NodeId): SessionCrypto {
  return {
    id,
    initiate: (_responder, payload) => {
      const message = new Uint8Array(96 + payload.length);
      message.set(nodeIdToBytes(id));
      message.set(payload, 32);
      return { message, finish: (message2) => ({ payload: message2.slice(48), keys }) };
    },
    respond: (message) => {
      const initiator = nodeIdFromBytes(message.slice(0, 32));
      if (initiator === undefined) return undefined;
      return {
        initiator,
        payload: message.slice(32, -64),
        respond: (payload) => ({ message: Uint8Array.from([...new Uint8Array(48), ...payload]), keys }),
      };
    },
    mac: () => () => zeros32,
    hash: () => zeros32,
  };
}

const [alice, bob] = [1, 2].map((byte) => identityFromSeed(new Uint8Array(32).fill(byte)).id);
if (alice === undefined || bob === undefined) throw new Error("no identities");
const ALICE_AT = { ip: "192.0.2.1", port: 4000 };
const BOB_AT = { ip: "192.0.2.2", port: 4000 };
/** Never the same twice, for a table draws until it has an index that is free. */
function counting(): (sizeBytes: number) => Uint8Array {
  let draws = 1;
  return (sizeBytes) => new Uint8Array(sizeBytes).fill(draws++);
}
const owner = { pongBody: ({ echo }: { echo: Uint8Array }) => echo, nodesBody: (lookup: Uint8Array) => lookup };
const start: Now = { mono: 1_000, wall: 1_700_000_000_000 };

/** Two tables with a link between them; bob is the one that is fed. */
function link(): { readonly table: SessionTable; readonly index: Uint8Array } {
  const [a, b] = [alice, bob].map(
    (id) => new SessionTable({ crypto: standIn(id as NodeId), random: counting(), owner }),
  );
  if (a === undefined || b === undefined) throw new Error("no tables");
  let index: Uint8Array = new Uint8Array(4);
  a.connect(bob as NodeId, BOB_AT, start);
  for (let turn = 0; turn < 2; turn += 1) {
    for (const { datagram } of a.flush(start)) {
      index = datagram.slice(1, 5);
      b.receive(datagram, ALICE_AT, start);
    }
    for (const { datagram } of b.flush(start)) a.receive(datagram, BOB_AT, start);
  }
  if (b.get(alice as NodeId) === undefined) throw new Error("no link");
  return { table: b, index };
}

/** By which alice names the session on her Data; the same each time. */
const INDEX = new DataView(link().index.buffer).getUint32(0);

/** Receives, answers and lets some time pass; what comes out must fit what may go in. */
function settle(table: SessionTable, datagram: Uint8Array): SessionEvent[] {
  const events = table.receive(datagram, ALICE_AT, start);
  let now = start;
  for (let step = 0; step < 3; step += 1) {
    for (const sent of table.flush(now))
      if (sent.datagram.length > 1200) throw new Error("a datagram above 1200 bytes");
    const next = table.nextDeadline();
    if (next === null) break;
    if (next < now.mono) throw new Error("a deadline in the past");
    now = { mono: next, wall: start.wall + next - start.mono };
    events.push(...table.tick(now));
  }
  return events;
}

const sample = (kind: number, body: readonly number[], number = 0) => {
  const bytes = new Uint8Array(frameSizeBytes(kind, body.length));
  writeFrame(bytes, 0, { kind, number: isReliable(kind) ? number : undefined, body: Uint8Array.from(body) });
  return bytes;
};
const samples = [
  sample(FRAME_KIND.ping, [1, 2, 3, 4, 5, 6, 7, 8]),
  sample(FRAME_KIND.pong, [7, 7, 7, 7, 7, 7, 7, 7]),
  sample(FRAME_KIND.ack, [0, 0, 0, 1, 5]),
  sample(FRAME_KIND.bye, [0]),
  sample(FRAME_KIND.skip, [], 1),
  sample(FRAME_KIND.direct, [1, 2, 3]),
  sample(FRAME_KIND.fragment, [0, 2, FRAME_KIND.direct, 1, 2], 0),
  sample(FRAME_KIND.fragment, [1, 2, 3], 1),
  sample(FRAME_KIND.lookup, [1, 2, 3]),
];
const several = Uint8Array.from(samples.filter((_, i) => i !== 3).flatMap((frame) => [...frame]));

function dataOf(frames: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(DATA_HEADER_BYTES + frames.length + TAG_BYTES);
  datagram.set(encodeDataHeader(INDEX, 9));
  datagram.set(frames, DATA_HEADER_BYTES);
  return datagram;
}

const stun = (attributes: readonly number[]) =>
  Uint8Array.of(
    0,
    1,
    0,
    attributes.length,
    0x21,
    0x12,
    0xa4,
    0x42,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    ...attributes,
  );

const taken = (events: readonly SessionEvent[]) => events.length > 0;

export const targets = [
  {
    name: "STUN request",
    corpus: [stun([]), stun([0x80, 0x22, 0, 3, 97, 98, 99, 0])],
    maxBytes: 128,
    run(bytes: Uint8Array): boolean {
      const transactionId = readBindingRequest(bytes.length < 20 ? new Uint8Array(20) : bytes);
      if (transactionId === undefined) return false;
      const answer = encodeBindingAnswer(transactionId, { ip: "2001:db8::1", port: 9 });
      if (answer.length !== 44 || transactionId.length !== 12) throw new Error("not the answer");
      return true;
    },
  },
  {
    name: "frames of a neighbour",
    corpus: [...samples, several],
    maxBytes: 1171,
    run(frames: Uint8Array): boolean {
      settle(link().table, dataOf(frames));
      return true;
    },
  },
  {
    name: "datagrams at a table with a link",
    corpus: [sample(FRAME_KIND.direct, [1, 2, 3])].map(dataOf),
    maxBytes: 1200,
    run: (datagram: Uint8Array): boolean => taken(settle(link().table, datagram)),
  },
];
