// Socket, session table and one timer, for programs that want authenticated messages between two keys and nothing else.
import { randomFillSync } from "node:crypto";
import type { Identity, NodeId } from "@starling/crypto-identity";
import {
  createSessionCrypto,
  type Now,
  type SessionEvent,
  type SessionInfo,
  type SessionLimits,
  SessionTable,
} from "@starling/session";
import { type Address, FRAME_KIND } from "@starling/wire-protocol";
import { UdpError } from "./errors.ts";
import { openUdpSocket, type UdpCounterName, type UdpSocket } from "./socket.ts";

/** Bye reason "closing". */
const BYE_CLOSING: Uint8Array = Uint8Array.of(0);
const NO_BYTES: Uint8Array = new Uint8Array(0);

export type SecureUdpOptions = {
  readonly identity: Identity;
  /** Nodes of different networks cannot open a session. */
  readonly network: string;
  readonly host: string;
  readonly port: number;
  readonly onMessage?: (message: { readonly from: NodeId; readonly bytes: Uint8Array }) => void;
  /** A session opened, moved to another address, or closed. */
  readonly onSession?: (event: Extract<SessionEvent, { type: "opened" | "moved" | "closed" }>) => void;
  readonly onError?: (error: Error) => void;
  readonly limits?: Partial<SessionLimits>;
};

type Waiting<T> = { readonly resolve: (value: T) => void; readonly reject: (error: UdpError) => void };

/** Binds the socket; rejects like openUdpSocket. */
export async function createSecureUdp(options: SecureUdpOptions): Promise<SecureUdp> {
  // The socket delivers nothing before this function has returned: reading begins in a later turn of the event loop.
  let secure: SecureUdp | undefined;
  const socket = await openUdpSocket({
    host: options.host,
    port: options.port,
    onDatagram: (bytes, from) => secure?.receive(bytes, from),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
  secure = new SecureUdp(options, socket);
  return secure;
}

export class SecureUdp {
  readonly id: NodeId;
  readonly address: Address;
  readonly #options: SecureUdpOptions;
  readonly #socket: UdpSocket;
  readonly #table: SessionTable;
  // BOUNDED: by the dials of the session table, several callers each.
  readonly #connecting: Map<NodeId, Waiting<SessionInfo>[]> = new Map();
  // BOUNDED: by the session's limit of queued frames.
  readonly #sending: Map<number, Waiting<void>> = new Map();
  #nextToken = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerMono = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** For createSecureUdp. */
  constructor(options: SecureUdpOptions, socket: UdpSocket) {
    const random = (sizeBytes: number): Uint8Array => randomFillSync(new Uint8Array(sizeBytes));
    const { identity, network, limits } = options;
    this.id = identity.id;
    this.address = socket.address;
    this.#options = options;
    this.#socket = socket;
    this.#table = new SessionTable({
      crypto: createSessionCrypto({ identity, network, random }),
      random,
      owner: { pongBody: ({ echo }) => echo, nodesBody: () => NO_BYTES },
      ...(limits === undefined ? {} : { limits }),
    });
  }

  /** What the session dropped and did, and with the prefix "socket." what the socket did. */
  get counters(): ReadonlyMap<string, number> {
    const socket = [...this.#socket.counters].map(([name, value]): [string, number] => [
      `socket.${name satisfies UdpCounterName}`,
      value,
    ]);
    return new Map([...this.#table.counters, ...socket]);
  }

  sessions(): SessionInfo[] {
    return this.#table.sessions();
  }

  /** Resolves when the session is open, at once when it is already. Rejects with `E_UNREACHABLE` or `E_CLOSED`. */
  connect(peer: NodeId, address: Address): Promise<SessionInfo> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError());
      const open = this.#table.get(peer);
      if (open !== undefined) return resolve(open);
      this.#connecting.set(peer, [...(this.#connecting.get(peer) ?? []), { resolve, reject }]);
      this.#table.connect(peer, address, now());
      this.#settle([]);
    });
  }

  /**
   * Resolves when the neighbour has the bytes. Rejects with `E_NO_SESSION`, `E_QUEUE_FULL` or `E_TOO_LARGE` at once, with
   * `E_UNDELIVERED` or `E_CLOSED` when the session ends first; the bytes may have arrived even so.
   */
  send(peer: NodeId, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError());
      this.#nextToken += 1;
      const token = this.#nextToken;
      // A copy, for the session sends it again until it is acknowledged, and the caller may use its buffer again (`slice` of a Buffer is none).
      const outcome = this.#table.send(peer, { kind: FRAME_KIND.direct, body: new Uint8Array(bytes) }, now(), token);
      if (outcome !== "queued") return reject(sendError(outcome, peer));
      this.#sending.set(token, { resolve, reject });
      this.#settle([]);
    });
  }

  /** Ends one session with a Bye, or a dial. */
  disconnect(peer: NodeId): void {
    if (this.#isClosed) return;
    const events = this.#table.close(peer, BYE_CLOSING, now());
    this.#settle(events);
    this.#failConnect(peer, new UdpError("E_UNREACHABLE", "the dial was called off by disconnect"));
  }

  /** Tells every neighbour Bye, rejects what is still waiting, frees the port. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      for (const { peer } of this.#table.sessions()) this.#settle(this.#table.close(peer, BYE_CLOSING, now()));
      this.#isClosed = true;
      clearTimeout(this.#timer);
      for (const waiting of this.#sending.values()) waiting.reject(closedError());
      this.#sending.clear();
      for (const peer of [...this.#connecting.keys()]) this.#failConnect(peer, closedError());
    }
    await this.#socket.close();
  }

  /** For the socket. */
  receive(bytes: Uint8Array, from: Address): void {
    if (!this.#isClosed) this.#settle(this.#table.receive(bytes, from, now()));
  }

  #tick(): void {
    this.#timerMono = Number.POSITIVE_INFINITY;
    if (!this.#isClosed) this.#settle(this.#table.tick(now()));
  }

  /** After every call into the table: what it wants sent, when it wants to be called, and only then what it reports. */
  #settle(events: SessionEvent[]): void {
    for (const { to, datagram } of this.#table.flush(now())) this.#socket.send(datagram, to);
    this.#schedule();
    for (const event of events) this.#report(event);
  }

  #schedule(): void {
    const dueMono = this.#table.nextDeadline();
    // A timer that fires too early finds nothing due and is set again: cheaper than moving it with every datagram.
    if (dueMono === null || dueMono >= this.#timerMono) return;
    clearTimeout(this.#timer);
    this.#timerMono = dueMono;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(dueMono - performance.now())));
  }

  #report(event: SessionEvent): void {
    switch (event.type) {
      case "opened": {
        const info = this.#table.get(event.peer);
        const waiting = this.#connecting.get(event.peer) ?? [];
        this.#connecting.delete(event.peer);
        for (const { resolve } of waiting) if (info !== undefined) resolve(info);
        this.#options.onSession?.(event);
        return;
      }
      case "unreachable": {
        const where = `${event.address.ip} port ${event.address.port}`;
        const message = `no answer from ${where}: check the address, the id, the network name, and that UDP passes`;
        this.#failConnect(event.peer, new UdpError("E_UNREACHABLE", message));
        return;
      }
      case "frame":
        if (event.frame.kind === FRAME_KIND.direct) {
          this.#options.onMessage?.({ from: event.peer, bytes: event.frame.body });
        }
        return;
      case "acknowledged":
        this.#take(event.token)?.resolve();
        return;
      case "undelivered":
        this.#take(event.token)?.reject(
          new UdpError("E_UNDELIVERED", "the session ended before the neighbour acknowledged: connect, and send again"),
        );
        return;
      case "moved":
      case "closed":
        this.#options.onSession?.(event);
        return;
      case "nodes":
        return;
    }
  }

  #take(token: number): Waiting<void> | undefined {
    const waiting = this.#sending.get(token);
    this.#sending.delete(token);
    return waiting;
  }

  #failConnect(peer: NodeId, error: UdpError): void {
    const waiting = this.#connecting.get(peer) ?? [];
    this.#connecting.delete(peer);
    for (const { reject } of waiting) reject(error);
  }
}

function now(): Now {
  return { mono: performance.now(), wall: Date.now() };
}

function closedError(): UdpError {
  return new UdpError("E_CLOSED", "this SecureUdp is closed: create another");
}

function sendError(outcome: "no-session" | "full" | "too-large", peer: NodeId): UdpError {
  switch (outcome) {
    case "no-session":
      return new UdpError("E_NO_SESSION", `no session with ${peer}: connect first`);
    case "full":
      return new UdpError("E_QUEUE_FULL", "too much is waiting for this neighbour: await earlier sends first");
    case "too-large":
      return new UdpError("E_TOO_LARGE", "a message is at most 65,529 bytes");
  }
}
