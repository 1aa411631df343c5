import { randomFillSync } from "node:crypto";
import { generateIdentity, type NodeId, type SessionKeys, systemRandom } from "@starling/crypto-identity";
import { createSessionCrypto, type SessionCrypto, SessionTable } from "@starling/session";
import {
  encodeAck,
  encodeEnvelope,
  encodeMessage,
  encodeSend,
  FRAME_KIND,
  isReliable,
  lockOf,
  type NumberedFrame,
  readFrames,
  writeDataHeader,
  writeFrame,
} from "@starling/wire-protocol";

// What sixteen peers will say to a relay, sealed before any clock starts: eight sources, each with a sink of its own. Their sessions
// are opened by the code of the session package; then their keys are taken over, and every datagram of a run is made from them. As
// nothing is lost on loopback, the numbers of all frames are known beforehand:
//
//   source   one datagram a message: the Send, and the hop ack for the SendAcks that it has by then
//   sink     one datagram for every eight Sends: the hop ack for them and their eight SendAcks
//
// That is what sessions of this program do as well (PROTOCOL §5.1): an ack leaves after eight frames, or rides on what leaves.

export const PAIRS = 8;
/** Sends for which one answer leaves. */
export const STEP = 8;
/** Messages of a pair without a SendAck, at most. */
export const WINDOW = 16;
/** A message of 800 B of content fills this class (PROTOCOL §7.2). */
const SEALED_BYTES = 1024;
const PEER = { ip: "127.0.0.1", port: 9 };
const HEADER_BYTES = 13;

export type Script = {
  /** The index that the relay writes on what it sends, of each source, then of each sink. */
  readonly indexes: readonly number[];
  /** Message n is from source n % PAIRS to its sink. */
  readonly sends: readonly Uint8Array[];
  /** Answers of each sink. */
  readonly answers: readonly (readonly Uint8Array[])[];
};

const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
const now = (): { mono: number; wall: number } => ({ mono: performance.now(), wall: Date.now() });
const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };

/** One peer: a session as it is opened, and what a script needs of it. */
class Peer {
  readonly id: NodeId;
  readonly table: SessionTable;
  keys: SessionKeys | undefined;
  localIndex = 0;
  remoteIndex = 0;
  nextCounter = 0;
  /** Numbered frames that the relay has sent so far. */
  received = 0;

  constructor(network: string) {
    const crypto = createSessionCrypto({ identity: generateIdentity(systemRandom), network, random });
    this.id = crypto.id;
    this.table = new SessionTable({ crypto: this.#overheard(crypto), random, owner });
  }

  sent(datagram: Uint8Array): void {
    const view = new DataView(datagram.buffer, datagram.byteOffset);
    if (datagram[0] === 0x50) this.localIndex = view.getUint32(1);
    if (datagram[0] !== 0x53) return;
    this.remoteIndex = view.getUint32(1);
    this.nextCounter = Number(view.getBigUint64(5)) + 1;
  }

  seal(...frames: NumberedFrame[]): Uint8Array {
    const plaintext = new Uint8Array(2048);
    let sizeBytes = 0;
    for (const frame of frames) sizeBytes = writeFrame(plaintext, sizeBytes, frame);
    const header = new Uint8Array(HEADER_BYTES);
    writeDataHeader(header, this.remoteIndex, this.nextCounter);
    if (this.keys === undefined) throw new Error("this peer has no session");
    const sealed = this.keys.send.seal(this.nextCounter, header, plaintext.subarray(0, sizeBytes));
    this.nextCounter += 1;
    return Buffer.concat([header, sealed]);
  }

  #overheard(crypto: SessionCrypto): SessionCrypto {
    return {
      ...crypto,
      initiate: (responder, payload) => {
        const initiation = crypto.initiate(responder, payload);
        return {
          message: initiation.message,
          finish: (message) => {
            const finished = initiation.finish(message);
            if (finished === undefined) return undefined;
            const { send, receive } = finished.keys;
            const open: typeof receive.open = (counter, header, ciphertext) => {
              const plaintext = receive.open(counter, header, ciphertext);
              const frames = plaintext && readFrames(plaintext);
              if (frames?.ok) this.received += frames.value.filter(({ kind }) => isReliable(kind)).length;
              return plaintext;
            };
            this.keys = { ...finished.keys, send, receive: { ...receive, open } };
            return { ...finished, keys: this.keys };
          },
        };
      },
    };
  }
}

/** Sixteen peers of a relay, while their sessions are opened. */
export class Peers {
  readonly #relay: NodeId;
  readonly #all: Peer[];
  readonly #send: (datagram: Uint8Array) => void;

  constructor(relay: NodeId, network: string, send: (datagram: Uint8Array) => void) {
    this.#relay = relay;
    this.#all = Array.from({ length: 2 * PAIRS }, () => new Peer(network));
    this.#send = send;
    for (const peer of this.#all) {
      peer.table.connect(relay, PEER, now());
      this.#flush(peer);
    }
  }

  get isOpen(): boolean {
    return this.#all.every(({ table }) => table.get(this.#relay)?.rttMs !== undefined);
  }

  receive(datagram: Uint8Array): void {
    const index = new DataView(datagram.buffer, datagram.byteOffset).getUint32(datagram[0] === 0x51 ? 5 : 1);
    for (const peer of this.#all) {
      if (peer.localIndex !== index) continue;
      peer.table.receive(datagram, PEER, now());
      this.#flush(peer);
    }
  }

  tick(): void {
    for (const peer of this.#all) {
      peer.table.tick(now());
      this.#flush(peer);
    }
  }

  /** What these peers say for so many messages; their tables are not used any more. */
  script(count: number): Script {
    const pair = (at: number): { source: Peer; sink: Peer } => {
      return { source: this.#all[at] as Peer, sink: this.#all[PAIRS + at] as Peer };
    };
    const sealedBody = random(SEALED_BYTES);
    const nonce = random(8);
    const sends: Uint8Array[] = [];
    const answers: Uint8Array[][] = Array.from({ length: PAIRS }, () => []);
    const open: NumberedFrame[][] = Array.from({ length: PAIRS }, () => []);
    const ack = (lowest: number): NumberedFrame => {
      const body = encodeAck({ lowest, bitmap: new Uint8Array(0) });
      return { kind: FRAME_KIND.ack, number: undefined, body };
    };
    for (let n = 0; n < count; n += 1) {
      const { source, sink } = pair(n % PAIRS);
      const nth = Math.floor(n / PAIRS);
      const t = random(16);
      const encodedEnvelope = encodeEnvelope({
        ...{ recipient: sink.id, lock: lockOf(t), timestampMs: Date.now(), effort: 1, nonce, sealedBody },
      });
      const body = encodeSend({ hops: 0, last: false, nonImproving: 0, encodedEnvelope });
      // The generator keeps to WINDOW: with more than so many on the way this one would not leave.
      const known = source.received + Math.max(0, nth + 1 - WINDOW);
      sends.push(source.seal({ kind: FRAME_KIND.send, number: nth, body }, ack(known)));
      const waiting = open[n % PAIRS] ?? [];
      const answer = encodeMessage({ type: "send-ack", t, hops: 2 });
      waiting.push({ kind: answer.kind, number: nth, body: answer.body });
      if (waiting.length < STEP) continue;
      answers[n % PAIRS]?.push(sink.seal(ack(sink.received + nth + 1), ...waiting.splice(0)));
    }
    return { indexes: this.#all.map(({ localIndex }) => localIndex), sends, answers };
  }

  #flush(peer: Peer): void {
    for (const { datagram } of peer.table.flush(now())) {
      peer.sent(datagram);
      this.#send(datagram);
    }
  }
}
