import { createSocket, type Socket } from "node:dgram";
import { generateIdentity, type NodeId, parseNodeId, systemRandom as random } from "@starling/crypto-identity";
import { createSessionCrypto, SessionTable } from "@starling/session";
import { encodeEnvelope, encodeSend, FRAME_KIND } from "@starling/wire-protocol";
import { KEY_IN, seal } from "./forwarder.ts";

// The load: datagrams made before the clock starts, sent with at most WINDOW unanswered, and counted where they come back.

const WINDOW = 128;
const LOST_MS = 2_000;
/** When all are back, the acks of the last are still to go out, and nothing is to be sent again in the next round. */
const SETTLED_MS = 100;
/** A message of 800 B of content fills this class (PROTOCOL §7.2). */
const SEALED_BYTES = 1024;
const PAIRS = 8;
const HELLO_FLIGHT = 32;

const now = (): { mono: number; wall: number } => ({ mono: performance.now(), wall: Date.now() });
const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };

export function envelope(recipient: NodeId): Uint8Array {
  return encodeEnvelope({
    recipient,
    lock: random(32),
    timestampMs: Date.now(),
    effort: 1,
    nonce: random(8),
    sealedBody: random(SEALED_BYTES),
  });
}

/** Peers of one relay, all on one socket of this process. */
export class Peers {
  readonly #socket: Socket;
  readonly #to: { readonly ip: string; readonly port: number };
  readonly #relay: NodeId;
  readonly tables: { readonly id: NodeId; readonly table: SessionTable }[] = [];
  /** Those that are connecting, or were last. */
  #newest: SessionTable[] = [];
  readonly #byIndex = new Map<number, SessionTable>();
  onSend: () => void = () => undefined;

  private constructor(socket: Socket, port: number, relay: NodeId) {
    this.#socket = socket;
    this.#to = { ip: "127.0.0.1", port };
    this.#relay = relay;
  }

  static async open(port: number, relay: string): Promise<Peers> {
    const socket = await openSocket();
    const peers = new Peers(socket, port, parseNodeId(relay));
    socket.on("message", (bytes) => peers.#receive(bytes));
    return peers;
  }

  /** Connects so many more. */
  async connect(count: number): Promise<void> {
    for (let done = 0; done < count; done += HELLO_FLIGHT) {
      const fresh = Array.from({ length: Math.min(HELLO_FLIGHT, count - done) }, () => {
        const crypto = createSessionCrypto({ identity: generateIdentity(random), network: "bench", random });
        return { id: crypto.id, table: new SessionTable({ crypto, random, owner }) };
      });
      this.#newest = fresh.map(({ table }) => table);
      for (const { table } of fresh) {
        table.connect(this.#relay, this.#to, now());
        this.#flush(table);
      }
      while (fresh.some(({ table }) => table.get(this.#relay)?.rttMs === undefined)) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        for (const { table } of fresh) this.#tick(table);
      }
      this.tables.push(...fresh);
    }
  }

  /** Sends from the first eight peers to the next eight, each sealed when it is called. */
  sends(count: number): (() => void)[] {
    return Array.from({ length: count }, (_, index) => {
      const { table } = this.tables[index % PAIRS] as { table: SessionTable };
      const recipient = (this.tables[PAIRS + (index % PAIRS)] as { id: NodeId }).id;
      const body = encodeSend({ hops: 0, last: false, nonImproving: 0, encodedEnvelope: envelope(recipient) });
      return () => {
        table.send(this.#relay, { kind: FRAME_KIND.send, body }, now());
        this.#flush(table);
      };
    });
  }

  #send(datagram: Uint8Array): void {
    this.#socket.send(datagram, this.#to.port, this.#to.ip);
  }

  /** Acks that wait, Pings that are due. */
  tick(): void {
    for (const { table } of this.tables) this.#tick(table);
  }

  close(): void {
    this.#socket.close();
  }

  #receive(bytes: Buffer): void {
    const index = bytes.length < 5 ? 0 : bytes.readUInt32BE(1);
    const known = this.#byIndex.get(index);
    for (const table of known === undefined ? this.#newest : [known]) {
      const events = table.receive(bytes, this.#to, now());
      for (const event of events) if (event.type === "frame" && event.frame.kind === FRAME_KIND.send) this.onSend();
      this.#flush(table);
      if (events.length > 0) this.#byIndex.set(index, table);
    }
  }

  #tick(table: SessionTable): void {
    table.tick(now());
    this.#flush(table);
  }

  #flush(table: SessionTable): void {
    for (const { datagram } of table.flush(now())) this.#send(datagram);
  }
}

/** The closed loop: seconds it took, and how many came back. */
export async function drive(
  sends: readonly (() => void)[],
  onBack: (back: () => void) => void,
  upkeep: () => void,
): Promise<{ seconds: number; received: number }> {
  let sent = 0;
  let received = 0;
  const started = performance.now();
  let lastMono = started;
  await new Promise<void>((resolve) => {
    const fill = (): void => {
      while (sent < sends.length && sent - received < WINDOW) {
        sends[sent]?.();
        sent += 1;
      }
    };
    const timer = setInterval(() => {
      upkeep();
      if (performance.now() - lastMono < (received < sends.length ? LOST_MS : SETTLED_MS)) return;
      clearInterval(timer);
      resolve();
    }, 5);
    onBack(() => {
      received += 1;
      lastMono = performance.now();
      fill();
    });
    fill();
  });
  return { seconds: (lastMono - started) / 1000, received };
}

export async function openSocket(): Promise<Socket> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    lookup: (literal, family, done) => done(null, literal, Number(family)),
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}

/** Datagrams of the same size as the relay's, for the others. */
export function plainLoad(count: number, sizeBytes: number): Uint8Array[] {
  const nonce = Buffer.alloc(12);
  return Array.from({ length: count }, (_, index) => {
    nonce.writeUInt32BE(index);
    return seal(KEY_IN, Buffer.from(nonce), random(sizeBytes - 28));
  });
}
