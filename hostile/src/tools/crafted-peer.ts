import { createHash, createHmac } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { generateIdentity, type Identity, type NodeId, nodeIdToBytes, systemRandom } from "@starling/crypto-identity";
import { within } from "@starling/lab/deadline";
import { createSessionCrypto, type SessionCrypto } from "@starling/session";
import {
  COOKIE,
  type Contact,
  DATA,
  decodeDatagram,
  encodeAck,
  encodeDataHeader,
  encodeHello,
  encodeHelloPayload,
  encodePong,
  FRAME_KIND,
  frameSizeBytes,
  HELLO_MAC1_OFFSET,
  isReliable,
  MAC_BYTES,
  type NumberedFrame,
  readFrames,
  setHelloCookie,
  WELCOME,
  writeFrame,
} from "@starling/wire-protocol";
import type { Target } from "../attack.ts";

// A peer made by hand: it opens a session by the book, and then puts inside what it likes. What it is sent it acknowledges, and Pings
// it answers, so that nothing of what follows is the target's care for a peer that went away.

const WELCOME_MS = 5_000;
const HELLO_AGAIN_MS = 1_000;

type Keys = NonNullable<ReturnType<ReturnType<SessionCrypto["initiate"]>["finish"]>>["keys"];
type Session = { readonly keys: Keys; readonly remoteIndex: number; counter: number };

export class CraftedPeer {
  readonly identity: Identity;
  /** Every datagram that it sent, where `records` is on. */
  readonly recorded: Buffer[] = [];
  records = false;
  sentCount = 0;
  sentBytes = 0;
  receivedCount = 0;
  receivedBytes = 0;
  onFrame: ((frame: NumberedFrame) => void) | undefined;
  /** Whom it names in a Pong. */
  hearsay: () => readonly Contact[] = () => [];
  readonly #target: Target;
  readonly #socket: Socket;
  readonly #crypto: SessionCrypto;
  readonly #epoch = systemRandom(8);
  #session: Session | undefined;
  #onWelcome: ((datagram: Buffer) => void) | undefined;
  #nextNumber = 0;
  #lowest = 0;
  // BOUNDED: by the window of 4,096 numbers that the other side keeps to.
  readonly #beyond: Set<number> = new Set();
  #lastTimestampMs = 0;

  private constructor(target: Target, network: string, socket: Socket, identity: Identity) {
    this.identity = identity;
    this.#target = target;
    this.#socket = socket;
    this.#crypto = createSessionCrypto({ identity: this.identity, network, random: systemRandom });
    socket.on("message", (datagram) => this.#hear(datagram));
  }

  /** With a session; on loopback it may have any address of 127.0.0.0/8. */
  static async open(
    target: Target,
    network: string,
    { ip, identity = generateIdentity(systemRandom) }: { readonly ip?: string; readonly identity?: Identity } = {},
  ): Promise<CraftedPeer> {
    const isSix = target.address.ip.includes(":");
    const socket = createSocket(isSix ? "udp6" : "udp4");
    const host = ip ?? (target.address.ip.startsWith("127.") ? "127.0.0.1" : undefined);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ port: 0, ...(host === undefined ? {} : { address: host }) }, resolve);
    });
    const peer = new CraftedPeer(target, network, socket, identity);
    await peer.shakeHands();
    return peer;
  }

  get id(): NodeId {
    return this.identity.id;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** A handshake: at first a session, later new keys for it. */
  async shakeHands(): Promise<void> {
    this.#lastTimestampMs = Math.max(Date.now(), this.#lastTimestampMs + 1);
    const payload = encodeHelloPayload({
      timestampMs: this.#lastTimestampMs,
      epoch: this.#epoch,
      lookup: new Uint8Array(0),
    });
    const initiation = this.#crypto.initiate(this.#target.id, payload);
    const hello = encodeHello(indexOf(systemRandom(4)), initiation.message);
    writeMac1(hello, this.#target.id);
    const welcomed = new Promise<Session>((resolve) => {
      this.#onWelcome = (datagram) => {
        const read = decodeDatagram(datagram);
        if (!read.ok) return;
        if (read.value.kind === COOKIE) {
          setHelloCookie(hello, read.value.cookie);
          this.sendRaw(hello);
        } else if (read.value.kind === WELCOME) {
          const finished = initiation.finish(read.value.message);
          if (finished) resolve({ keys: finished.keys, remoteIndex: read.value.senderIndex, counter: 0 });
        }
      };
    });
    this.sendRaw(hello);
    const again = setInterval(() => this.sendRaw(hello), HELLO_AGAIN_MS);
    try {
      this.#session = await within(WELCOME_MS, "a Welcome", welcomed);
    } finally {
      clearInterval(again);
      this.#onWelcome = undefined;
    }
    // The first Data opens the link.
    this.say(FRAME_KIND.ping, systemRandom(8));
  }

  /** A frame in a datagram of its own, numbered as it should be where its kind is. */
  say(kind: number, body: Uint8Array): void {
    this.sendRaw(this.sealFrame(kind, body));
  }

  /** The same, not sent. `number` is for who wants another than the next. */
  sealFrame(kind: number, body: Uint8Array, number?: number): Uint8Array {
    const frame = new Uint8Array(frameSizeBytes(kind, body.length));
    writeFrame(frame, 0, { kind, body, number: isReliable(kind) ? (number ?? this.#takeNumber()) : undefined });
    return this.seal(frame);
  }

  /** Any plaintext in a good Data datagram. */
  seal(plaintext: Uint8Array): Uint8Array {
    const session = this.#session;
    if (session === undefined) throw new Error("no session");
    const header = encodeDataHeader(session.remoteIndex, session.counter);
    const ciphertext = session.keys.send.seal(session.counter, header, plaintext);
    session.counter += 1;
    return Buffer.concat([header, ciphertext]);
  }

  sendRaw(datagram: Uint8Array): void {
    if (this.records) this.recorded.push(Buffer.from(datagram));
    this.sentCount += 1;
    this.sentBytes += datagram.length;
    const { ip, port } = this.#target.address;
    this.#socket.send(datagram, port, ip, () => undefined);
  }

  /** After what was said has left. */
  close(): void {
    setImmediate(() => this.#socket.close());
  }

  #takeNumber(): number {
    this.#nextNumber += 1;
    return this.#nextNumber - 1;
  }

  #hear(datagram: Buffer): void {
    this.receivedCount += 1;
    this.receivedBytes += datagram.length;
    this.#onWelcome?.(datagram);
    const read = decodeDatagram(datagram);
    if (!read.ok || read.value.kind !== DATA || this.#session === undefined) return;
    const { counter, header, ciphertext } = read.value;
    const plaintext = this.#session.keys.receive.open(counter, header, ciphertext);
    const frames = plaintext && readFrames(plaintext);
    if (!frames?.ok) return;
    for (const frame of frames.value) this.#take(frame);
    if (frames.value.some(({ number }) => number !== undefined)) this.#acknowledge();
  }

  #take(frame: NumberedFrame): void {
    const { kind, number, body } = frame;
    if (number !== undefined) {
      if (number < this.#lowest || this.#beyond.has(number)) return;
      this.#beyond.add(number);
      while (this.#beyond.delete(this.#lowest)) this.#lowest += 1;
    }
    if (kind === FRAME_KIND.ping) this.#pong(body);
    else this.onFrame?.(frame);
  }

  #pong(echo: Uint8Array): void {
    const { address } = this.#target;
    const body = encodePong({
      type: "pong",
      echo,
      wallMs: Date.now(),
      sendPrice: 0,
      publishPrice: 0,
      observed: address,
      contacts: this.hearsay(),
    });
    this.say(FRAME_KIND.pong, body);
  }

  #acknowledge(): void {
    const bitmap = new Uint8Array(64);
    for (const number of this.#beyond) {
      const bit = number - this.#lowest - 1;
      if (bit >= 0 && bit < 512) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
    this.say(FRAME_KIND.ack, encodeAck({ lowest: this.#lowest, bitmap }));
  }
}

/** How long a peer that nobody knows takes to its session, in milliseconds. */
export async function timeToConnect(target: Target, network: string): Promise<number> {
  const startedMs = performance.now();
  const peer = await CraftedPeer.open(target, network);
  const tookMs = performance.now() - startedMs;
  peer.close();
  return tookMs;
}

export function writeMac1(hello: Uint8Array, receiver: NodeId): void {
  const mac = createHmac("sha256", mac1KeyOf(receiver)).update(hello.subarray(0, HELLO_MAC1_OFFSET)).digest();
  hello.set(mac.subarray(0, MAC_BYTES), HELLO_MAC1_OFFSET);
}

let mac1Key: { readonly receiver: NodeId; readonly key: Buffer } | undefined;

/** The key of the receiver asked for last is kept: a flood makes thousands a second. */
function mac1KeyOf(receiver: NodeId): Buffer {
  if (mac1Key?.receiver !== receiver) {
    const key = createHash("sha256").update("starling mac1").update(nodeIdToBytes(receiver)).digest();
    mac1Key = { receiver, key };
  }
  return mac1Key.key;
}

function indexOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
