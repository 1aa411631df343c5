// One side's ICE (RFC 8445) for one channel: werift's state machine on our own sockets, behind our own filter. Nothing here asks
// DNS, and the only STUN servers are the addresses given.
import { randomBytes } from "node:crypto";
import type { Address, Candidate, Description } from "@starling/wire-protocol";
import { canonicalIp } from "@starling/wire-protocol";
import { orCancelled, pause } from "./cancellation.ts";
import { IceGate, STUN_FIRST_BYTE_MAX } from "./ice-gate.ts";
import { type IceSocket, openIceSocket } from "./ice-socket.ts";
import { priorityOf } from "./sdp.ts";
import { viewStun } from "./stun-check.ts";
import type { IceConnection, StunProtocol, Werift, WeriftAddress } from "./werift.ts";

/** Requests that came before the description of the peer, answered once that is here. */
const EARLY_CHECKS_MAX = 16;
/** werift keeps the id of every request it was sent, to count repeats. */
const REQUEST_IDS_MAX = 512;
/** A pair that failed is tried again: the peer may have heard of us, and opened its NAT, only since. */
const RECHECK_MS = 100;
const RECHECK = { retransmissions: 1, responseTimeout: 400 } as const;
const DTLS_FIRST_BYTES = [20, 63] as const;

export type IceAgentOptions = {
  readonly werift: Werift;
  readonly isControlling: boolean;
  readonly signal: AbortSignal;
  /** A DTLS datagram from a source that proved itself. */
  readonly onDtls: (data: Buffer) => void;
  /** A local candidate that was found after `gather` had returned. */
  readonly onLateCandidate: (candidate: Candidate) => void;
  readonly onFailed: () => void;
  readonly onDropped: (reason: "stun" | "source" | "budget") => void;
};

export class IceAgent {
  /** 48 bits and 144 bits; RFC 8445 §5.3 asks for 24 and 128, werift would draw 16 and 88. */
  readonly ufrag: string = randomBytes(6).toString("base64");
  readonly pwd: string = randomBytes(18).toString("base64");
  readonly #options: IceAgentOptions;
  readonly #connection: IceConnection;
  readonly #gate: IceGate = new IceGate(this.ufrag, this.pwd);
  // BOUNDED: one a bind address and STUN server.
  readonly #candidates: Candidate[] = [];
  #hasGathered = false;
  /** Messages that only the peer, alive, can have made: its checks, and its answers to ours. */
  signsOfLife = 0;

  constructor(options: IceAgentOptions) {
    this.#options = options;
    const { werift, isControlling, onFailed } = options;
    const connection = new werift.Connection(isControlling, { useIpv4: false, useIpv6: false });
    connection.localUsername = this.ufrag;
    connection.localPassword = this.pwd;
    connection.userHistory = { [this.ufrag]: this.pwd };
    // werift's default is Google's; it is read by gatherCandidates only, which is never called.
    connection.stunServer = undefined;
    connection.turnServer = undefined;
    connection.localCandidatesStart = true;
    connection.localCandidatesEnd = true;
    connection.stateChanged.subscribe((state) => {
      if (state === "failed") onFailed();
    });
    this.#connection = connection;
  }

  /** Round-trip time of the last check, once connected. */
  get rttMs(): number | undefined {
    const seconds = this.#connection.nominated?.rtt;
    return seconds === undefined ? undefined : seconds * 1000;
  }

  /** Binds the addresses, asks the STUN servers, and returns the candidates known within the time. */
  async gather(
    bindAddresses: readonly string[],
    stunServers: readonly Address[],
    gatherMs: number,
  ): Promise<Candidate[]> {
    const { signal } = this.#options;
    this.#gate.expectServers(stunServers);
    const sockets = (await Promise.all(bindAddresses.map((ip) => this.#bind(ip)))).filter((made) => made !== undefined);
    const asked = sockets.flatMap((made) =>
      stunServers
        .filter((server) => server.ip.includes(":") === made.socket.ip.includes(":"))
        .map((server) => this.#askStun(made.protocol, made.socket, server)),
    );
    if (asked.length > 0) {
      const done = new AbortController();
      const all = Promise.allSettled(asked).finally(() => done.abort());
      await Promise.race([all, pause(gatherMs, AbortSignal.any([signal, done.signal]))]);
    }
    this.#hasGathered = true;
    return [...this.#candidates];
  }

  /** Where the peer is and how it proves itself; its candidates come by `addCandidate`. */
  setRemote(description: Pick<Description, "ufrag" | "pwd">): void {
    this.#gate.setRemote(description);
    this.#connection.setRemoteParams({
      iceLite: false,
      usernameFragment: description.ufrag,
      password: description.pwd,
    });
  }

  /** Only what the candidate policy allows; `rank` 0 is the most preferred. */
  addCandidate({ type, address }: Candidate, rank: number): void {
    const priority = priorityOf(type, rank);
    const named = type === "prflx" ? "srflx" : type;
    const candidate = new this.#options.werift.Candidate(
      `${named}${rank}`,
      1,
      "udp",
      priority,
      address.ip,
      address.port,
      named,
    );
    // It waits for a resolver only with names, which are none of our candidates.
    this.#connection.addRemoteCandidate(candidate).catch(() => {});
  }

  /** Resolves when a pair of candidates is nominated; rejects where the signal ends it. */
  async connect(): Promise<void> {
    const connection = this.#connection;
    const recheck = setInterval(() => this.#checkAgain(), RECHECK_MS);
    try {
      await orCancelled(connection.connect(), this.#options.signal);
    } finally {
      clearInterval(recheck);
    }
  }

  /** Never rejects; what cannot be sent is lost, as any datagram may be. */
  send(data: Uint8Array): Promise<void> {
    return this.#connection.send(data).catch(() => {});
  }

  /** Closes the sockets and nothing else: from here on both ends hear nothing, as when a cable is cut. */
  sever(): void {
    for (const { transport } of this.#connection.protocols) void transport?.close();
  }

  /** Frees the sockets, ends every timer, and settles what still waits for an answer. */
  async close(): Promise<void> {
    const connection = this.#connection;
    for (const protocol of connection.protocols) {
      for (const transaction of Object.values(protocol.transactions)) transaction?.failWithTimeout();
    }
    // With a list to check, connect() would wait for ever once closed.
    connection.checkList = [];
    connection.earlyChecks = [];
    await connection.close().catch(() => {});
  }

  #checkAgain(): void {
    const connection = this.#connection;
    const { WAITING, FAILED } = this.#options.werift.CandidatePairState;
    const failed = connection.checkList.filter(({ state }) => state === FAILED);
    if (failed.length === 0) return;
    // A new object each time: werift writes the key of the check into it.
    connection.checkRequestOptions = () => ({ ...RECHECK });
    for (const pair of failed) pair.updateState(WAITING);
  }

  #maySend(data: Uint8Array, to: WeriftAddress): boolean {
    const may = this.#gate.maySend(data, to);
    if (!may) this.#options.onDropped("budget");
    return may;
  }

  async #bind(ip: string): Promise<{ protocol: StunProtocol; socket: IceSocket } | undefined> {
    const { werift, signal } = this.#options;
    const protocol = new werift.StunProtocol();
    const socket = await openIceSocket(
      ip,
      (data, from) => this.#receive(protocol, data, from),
      (data, to) => this.#maySend(data, to),
    );
    if (socket === undefined) return undefined;
    if (signal.aborted) {
      await socket.transport.close();
      return undefined;
    }
    const candidate: Candidate = { type: "host", address: { ip, port: socket.port } };
    const priority = priorityOf("host", this.#candidates.length);
    protocol.transport = socket.transport;
    protocol.localIp = ip;
    protocol.localCandidate = new werift.Candidate(
      `host${ip}`,
      1,
      "udp",
      priority,
      ip,
      socket.port,
      "host",
      undefined,
      undefined,
      undefined,
      this.#connection.generation,
      this.ufrag,
    );
    this.#connection.ensureProtocol(protocol);
    this.#connection.protocols.push(protocol);
    this.#connection.pairLocalProtocol(protocol);
    this.#candidates.push(candidate);
    return { protocol, socket };
  }

  async #askStun(protocol: StunProtocol, socket: IceSocket, server: Address): Promise<void> {
    const { werift, signal, onLateCandidate } = this.#options;
    const request = new werift.Message(werift.methods.BINDING, werift.classes.REQUEST);
    const address = await orCancelled(protocol.request(request, [server.ip, server.port]), signal).then(
      ([response]) => readMapped(response.getAttributeValue("XOR-MAPPED-ADDRESS")),
      () => undefined,
    );
    const isKnown = this.#candidates.some(
      ({ address: known }) => known.ip === address?.ip && known.port === address.port,
    );
    if (address === undefined || isKnown || signal.aborted || address.ip === socket.ip) return;
    const candidate: Candidate = { type: "srflx", address };
    this.#candidates.push(candidate);
    if (this.#hasGathered) onLateCandidate(candidate);
  }

  /** Everything that arrives on a socket. Untrusted. */
  #receive(protocol: StunProtocol, data: Buffer, from: WeriftAddress): void {
    const first = data[0] ?? 255;
    if (first <= STUN_FIRST_BYTE_MAX) {
      this.#receiveStun(protocol, data, from);
      return;
    }
    if (first < DTLS_FIRST_BYTES[0] || first > DTLS_FIRST_BYTES[1] || !this.#gate.hasProved(from)) {
      this.#options.onDropped("source");
      return;
    }
    this.#options.onDtls(data);
  }

  #receiveStun(protocol: StunProtocol, data: Buffer, from: WeriftAddress): void {
    const connection = this.#connection;
    const view = viewStun(data);
    const isCrowded = view?.kind === "request" && connection.earlyChecks.length >= EARLY_CHECKS_MAX;
    const verdict =
      view === undefined || isCrowded
        ? "drop"
        : this.#gate.judge(protocol, data, view, from, connection.nominated !== undefined);
    if (verdict === "drop") {
      this.#options.onDropped("stun");
      return;
    }
    if (verdict === "admit") this.signsOfLife += 1;
    protocol.datagramReceived(data, from);
    for (const pair of connection.checkList) {
      if (pair.requestTransactionIds.size > REQUEST_IDS_MAX) pair.requestTransactionIds.clear();
    }
  }
}

/** The mapped address in a STUN response, which may say anything. */
function readMapped(value: unknown): Address | undefined {
  if (!Array.isArray(value)) return undefined;
  const [text, port] = value;
  const ip = typeof text === "string" ? canonicalIp(text) : undefined;
  if (ip === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { ip, port };
}
