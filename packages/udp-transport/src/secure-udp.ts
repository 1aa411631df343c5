// Socket, session table and one timer, for programs that want authenticated messages between two keys and nothing else.
import { randomFillSync } from "node:crypto";
import { type Identity, isNodeId, type NodeId } from "@starling/crypto-identity";
import {
  createSessionCrypto,
  DEFAULT_LIMITS,
  isUnicastAddress,
  type Now,
  type SessionEvent,
  type SessionInfo,
  type SessionLimits,
  SessionTable,
} from "@starling/session";
import { type Address, canonicalIp, encodeBye, FRAME_KIND, formatAddress } from "@starling/wire-protocol";
import { Connecting } from "./connecting.ts";
import { MESSAGE_ONCE_MAX_BYTES, sendError, UdpError } from "./errors.ts";
import { Observed, pongBody } from "./observed.ts";
import { Outstanding } from "./outstanding.ts";
import { openUdpSocket, type UdpCounterName, type UdpSocket } from "./socket.ts";

const BYE: Uint8Array = encodeBye({ type: "bye", reason: "closing" });
const NO_BYTES: Uint8Array = new Uint8Array(0);
/** Kind of a message that is sent once: none of the protocol's own (PROTOCOL §4), and not numbered. */
const MESSAGE_ONCE = 0x40;

/** A message, and who is proved to have sent it. */
export type SecureUdpMessage = {
  readonly from: NodeId;
  /** The program's own: nothing else uses them. */
  readonly bytes: Uint8Array;
  /** Whether it came by `send`, and not by `sendOnce`. */
  readonly isReliable: boolean;
};

/** What sessions run on and by; `limits` are those of @starling/session. */
export type SecureUdpOptions = {
  readonly identity: Identity;
  /** Nodes of different networks cannot open a session. */
  readonly network: string;
  /** An ip literal of this machine, 0.0.0.0, or :: for IPv6 and IPv4. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** As for openUdpSocket. */
  readonly reusePort?: boolean;
  /** A message has come; what it throws is the program's own. */
  readonly onMessage?: (message: SecureUdpMessage) => void;
  /** A session opened (`initiator: false`: by the other end), moved to another address, or closed. */
  readonly onSession?: (event: Extract<SessionEvent, { type: "opened" | "moved" | "closed" }>) => void;
  /** `observedAddress` has changed. */
  readonly onObserved?: (address: Address | undefined) => void;
  /** Errors of the open socket, for a log; it stays open. */
  readonly onError?: (error: Error) => void;
  readonly limits?: Partial<SessionLimits>;
};

/** Binds the socket; rejects like openUdpSocket. */
export async function createSecureUdp(options: SecureUdpOptions): Promise<SecureUdp> {
  // The socket delivers nothing before this function has returned: reading begins in a later turn of the event loop.
  let secure: SecureUdp | undefined;
  const { host, port, reusePort, onError } = options;
  const socket = await openUdpSocket({
    host,
    port,
    onDatagram: (bytes, from) => secure?.receive(bytes, from),
    ...(reusePort === undefined ? {} : { reusePort }),
    ...(onError === undefined ? {} : { onError }),
  });
  secure = new SecureUdp(options, socket);
  return secure;
}

/** Sessions with any number of peers over one UDP socket. Made by `createSecureUdp`. */
export class SecureUdp {
  readonly id: NodeId;
  readonly address: Address;
  readonly #options: SecureUdpOptions;
  readonly #socket: UdpSocket;
  readonly #table: SessionTable;
  readonly #connecting: Connecting = new Connecting();
  readonly #outstanding: Outstanding = new Outstanding();
  readonly #observed: Observed;
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
    this.#observed = new Observed((address) => options.onObserved?.(address));
    this.#table = new SessionTable({
      crypto: createSessionCrypto({ identity, network, random }),
      random,
      owner: { pongBody, nodesBody: () => NO_BYTES },
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

  /** Where most neighbours see this socket, two of different blocks at least: its address behind a NAT that keeps one. */
  get observedAddress(): Address | undefined {
    return this.#observed.address;
  }

  /** Every open session. */
  sessions(): SessionInfo[] {
    return this.#table.sessions();
  }

  /** The session with a peer, if one is open. */
  session(peer: NodeId): SessionInfo | undefined {
    return this.#table.get(peer);
  }

  /**
   * Resolves when the session is open, at once when it is already. Rejects with `E_BAD_ID` or `E_BAD_ADDRESS` for what is
   * none, with `E_UNREACHABLE` after 5 s without an answer, or with `E_CLOSED`.
   */
  connect(peer: NodeId, address: Address): Promise<SessionInfo> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError());
      if (!isNodeId(peer))
        return reject(new UdpError("E_BAD_ID", "a peer's id is 64 lower-case hex digits of its key"));
      const ip = canonicalIp(address.ip);
      if (ip === undefined || !isUnicastAddress({ ip, port: address.port }))
        return reject(
          new UdpError("E_BAD_ADDRESS", `nobody can be at '${address.ip}' port ${address.port}: give an ip`),
        );
      const open = this.#table.get(peer);
      if (open !== undefined) return resolve(open);
      this.#connecting.add(peer, { resolve, reject });
      this.#table.connect(peer, { ip, port: address.port }, now());
      this.#settle([]);
    });
  }

  /**
   * Resolves when the neighbour has the bytes, at most 65,529. Rejects with `E_NO_SESSION`, `E_QUEUE_FULL` or `E_TOO_LARGE` at
   * once, with `E_UNDELIVERED` or `E_CLOSED` when the session ends first; the bytes may have arrived even so.
   */
  send(peer: NodeId, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closedError());
      const token = this.#outstanding.nextToken();
      // A copy, for the session sends it again until it is acknowledged, and the caller may use its buffer again (`slice` of a Buffer is none).
      const frame = { kind: FRAME_KIND.direct, body: new Uint8Array(bytes) };
      const outcome = this.#table.send(peer, frame, now(), token);
      if (outcome !== "queued") return reject(sendError(outcome, peer));
      this.#outstanding.add(token, { peer, resolve, reject });
      this.#settle([]);
    });
  }

  /** Sends at most 1,168 bytes once, which may get lost. Throws `E_NO_SESSION`, `E_QUEUE_FULL`, `E_TOO_LARGE` or `E_CLOSED`. */
  sendOnce(peer: NodeId, bytes: Uint8Array): void {
    if (this.#isClosed) throw closedError();
    if (bytes.length > MESSAGE_ONCE_MAX_BYTES) throw sendError("too-large-once", peer);
    const outcome = this.#table.send(peer, { kind: MESSAGE_ONCE, body: new Uint8Array(bytes) }, now());
    if (outcome !== "queued") throw sendError(outcome, peer);
    this.#settle([]);
  }

  /** Back-pressure: resolves when at most half of what a neighbour's queue holds is waiting, or the session has ended. */
  ready(peer: NodeId): Promise<void> {
    const { queuedFrames, queuedBytes } = { ...DEFAULT_LIMITS, ...this.#options.limits };
    return this.#outstanding.wait(() => {
      const isFew = 2 * this.#outstanding.countOf(peer) <= queuedFrames;
      return isFew && 2 * (this.#table.get(peer)?.queuedBytes ?? 0) <= queuedBytes;
    });
  }

  /** Resolves when nothing waits for a neighbour, or for any: all is acknowledged, sent once, or handed back. */
  drained(peer?: NodeId): Promise<void> {
    return this.#outstanding.wait(() => {
      const sessions = peer === undefined ? this.#table.sessions() : [this.#table.get(peer)];
      return sessions.every((session) => session === undefined || session.queuedBytes === 0);
    });
  }

  /** Ends one session with a Bye, or a dial. */
  disconnect(peer: NodeId): void {
    if (this.#isClosed) return;
    const events = this.#table.close(peer, BYE, now());
    this.#settle(events);
    this.#connecting.fail(peer, new UdpError("E_UNREACHABLE", "the dial was called off by disconnect"));
  }

  /** Tells every neighbour Bye, rejects what is still waiting (`await drained()` first), frees the port. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      for (const { peer } of this.#table.sessions()) this.#settle(this.#table.close(peer, BYE, now()));
      this.#isClosed = true;
      clearTimeout(this.#timer);
      this.#outstanding.rejectAll(closedError());
      this.#connecting.failAll(closedError());
      this.#outstanding.check();
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
    this.#outstanding.check();
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
    const { onMessage, onSession } = this.#options;
    switch (event.type) {
      case "opened":
        this.#connecting.opened(event.peer, this.#table.get(event.peer));
        onSession?.(event);
        return;
      case "unreachable": {
        const message = `no answer from ${formatAddress(event.address)}: check the address, the id, the network name, and that UDP passes`;
        this.#connecting.fail(event.peer, new UdpError("E_UNREACHABLE", message));
        return;
      }
      case "frame": {
        const { kind, body } = event.frame;
        if (kind === FRAME_KIND.pong) this.#observed.pong(event.peer, this.#table.get(event.peer)?.address, body);
        else if (kind === FRAME_KIND.direct || kind === MESSAGE_ONCE)
          onMessage?.({ from: event.peer, bytes: body, isReliable: kind === FRAME_KIND.direct });
        return;
      }
      case "acknowledged":
        this.#outstanding.take(event.token)?.resolve();
        return;
      case "undelivered":
        this.#outstanding
          .take(event.token)
          ?.reject(
            new UdpError("E_UNDELIVERED", "the session ended before it was acknowledged: connect, and send again"),
          );
        return;
      case "closed":
        this.#observed.forget(event.peer);
        onSession?.(event);
        return;
      case "moved":
        onSession?.(event);
        return;
      case "nodes":
        return;
    }
  }
}

function now(): Now {
  return { mono: performance.now(), wall: Date.now() };
}

function closedError(): UdpError {
  return new UdpError("E_CLOSED", "this SecureUdp is closed: create another");
}
