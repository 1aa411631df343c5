// All that this package uses of werift 0.25.2, typed by hand: its own d.ts files need skipLibCheck, so they are never read, here
// or by whoever reads our d.ts. The parts marked "internal" are no public API of werift, and an upgrade may change any of them
// without a word: that is why the version is pinned exactly, and why the tests here run over real sockets.
//
// Of werift we take the ICE state machine, DTLS 1.2 and SCTP, and join them ourselves. RTCPeerConnection and its SDP are left
// out: two of its promises never settle after close(), it asks Google's STUN server unless patched, and it sleeps 100 ms.
import type { KeyObject } from "node:crypto";
import { RtcError } from "./errors.ts";

export type WeriftAddress = [ip: string, port: number];

export type WeriftEvent<Arguments extends unknown[]> = {
  subscribe(listener: (...values: Arguments) => void): { unSubscribe(): void };
  execute(...values: Arguments): void;
  /** internal */
  allUnsubscribe(): void;
};

/** What werift's StunProtocol asks of its socket; internal. */
export type DatagramTransport = {
  readonly type: "udp";
  readonly closed: boolean;
  readonly addressFamily: 4 | 6;
  send(data: Uint8Array, to?: WeriftAddress): Promise<void>;
  close(): Promise<void>;
};

export type WeriftCandidate = {
  readonly host: string;
  readonly port: number;
  readonly type: string;
};

export type StunMessage = { getAttributeValue(name: "XOR-MAPPED-ADDRESS"): unknown };

/** Internal. */
export type StunTransaction = { readonly integrityKey?: Uint8Array; failWithTimeout(): void };

export type StunProtocol = {
  transport: DatagramTransport;
  localIp: string;
  localCandidate: WeriftCandidate;
  /** Internal; keyed by the transaction id in hex. */
  readonly transactions: Record<string, StunTransaction | undefined>;
  /** Internal. */
  datagramReceived(data: Buffer, from: WeriftAddress): void;
  request(message: StunMessage, to: WeriftAddress): Promise<[StunMessage, WeriftAddress]>;
};

/** Internal. */
export type CandidatePair = {
  readonly state: number;
  readonly requestTransactionIds: Set<string>;
  readonly rtt?: number;
  updateState(state: number): void;
};

export type IceConnection = {
  localUsername: string;
  localPassword: string;
  readonly generation: number;
  state: string;
  readonly stateChanged: WeriftEvent<[state: string]>;
  setRemoteParams(parameters: { iceLite: boolean; usernameFragment: string; password: string }): void;
  addRemoteCandidate(candidate: WeriftCandidate): Promise<void>;
  connect(): Promise<void>;
  send(data: Uint8Array): Promise<void>;
  close(): Promise<void>;
  readonly nominated?: CandidatePair;
  // From here on internal.
  stunServer: WeriftAddress | undefined;
  turnServer: WeriftAddress | undefined;
  userHistory: Record<string, string>;
  localCandidatesStart: boolean;
  localCandidatesEnd: boolean;
  readonly protocols: StunProtocol[];
  checkList: CandidatePair[];
  earlyChecks: unknown[];
  ensureProtocol(protocol: StunProtocol): void;
  checkRequestOptions: (pair: CandidatePair) => { readonly retransmissions: number; readonly responseTimeout?: number };
  pairLocalProtocol(protocol: StunProtocol): void;
};

export type Certificate = {
  readonly certPem: string;
  readonly privateKey: string;
  readonly signatureHash: unknown;
  getFingerprints(): { readonly algorithm: string; readonly value: string }[];
};

/** Internal. A handshake message after reassembly. */
export type HandshakeMessage = { readonly msg_type: number; readonly message_seq: number; readonly fragment: Buffer };

/** Internal. A message of the handshake's transcript. */
export type CachedHandshake = HandshakeMessage & { serialize(): Buffer };

export type DtlsTransport = {
  readonly type: "ice";
  readonly closed: boolean;
  readonly address: Record<string, never>;
  onData: (data: Buffer) => void;
  send: (data: Uint8Array) => Promise<void>;
  close(): Promise<void>;
};

export type DtlsOptions = {
  readonly transport: DtlsTransport;
  readonly cert?: string;
  readonly key?: string;
  readonly signatureHash?: unknown;
  readonly srtpProfiles: readonly number[];
  readonly extendedMasterSecret: true;
  readonly certificateRequest?: true;
};

/** Internal: what parseRecord made of a datagram. */
export type DtlsRecord = {
  readonly fragment: Buffer;
  readonly recordLayerHeader: {
    readonly contentType: number;
    readonly protocolVersion: { readonly major: number; readonly minor: number };
    readonly epoch: number;
    readonly sequenceNumber: number;
    readonly contentLen: number;
  };
};

export type DtlsSocket = {
  readonly onConnect: WeriftEvent<[]>;
  readonly onData: WeriftEvent<[data: Buffer]>;
  readonly onClose: WeriftEvent<[]>;
  readonly onError: WeriftEvent<[error: unknown]>;
  readonly remoteCertificate?: Uint8Array;
  send(data: Uint8Array): Promise<void>;
  // From here on internal.
  connected: boolean;
  readonly dtls: { readonly sortedHandshakeCache: readonly CachedHandshake[] };
  readonly cipher: {
    readonly cipher?: { clientWriteKey: Buffer | KeyObject; serverWriteKey: Buffer | KeyObject };
    readonly localRandom?: { serialize(): Buffer };
    readonly remoteRandom?: { serialize(): Buffer };
    readonly remoteKeyPair?: { readonly publicKey?: Uint8Array };
    decryptPacket(record: DtlsRecord): Buffer;
  };
  onHandleHandshakes: (messages: HandshakeMessage[]) => Promise<void>;
  waitForReady: (condition: () => boolean) => Promise<void>;
};

export type DtlsClient = DtlsSocket & { connect(): Promise<void>; readonly flight5?: object };

/** Internal: one flight of a DTLS handshake, as its retransmission sees it. */
export type Flight = {
  readonly dtls: { readonly flight: number };
  readonly nextFlight: number | undefined;
  send(datagrams: Uint8Array[]): Promise<unknown>;
  transmit(datagrams: Uint8Array[]): Promise<void>;
};

/** Internal, but for send, start and stop. */
export type SctpAssociation = {
  isServer: boolean;
  rto: number;
  readonly srtt?: number;
  associationState: number;
  advertisedRwnd: number;
  outboundQueue: unknown[];
  readonly sentQueue: readonly unknown[];
  localTsn: number;
  lastSackedTsn: number;
  advancedPeerAckTsn: number;
  reconfigRequestSeq: number;
  readonly lastReceivedTsn?: number;
  readonly sackMisOrdered: ReadonlySet<number>;
  readonly inboundStreams: Record<number, { readonly reassembly: readonly unknown[] } | undefined>;
  readonly flush: WeriftEvent<[]>;
  readonly onReceive: WeriftEvent<[streamId: number, ppid: number, data: Buffer]>;
  readonly onReconfigStreams: WeriftEvent<[streamIds: number[]]>;
  readonly stateChanged: { readonly connected: WeriftEvent<[]>; readonly closed: WeriftEvent<[]> };
  onSackReceived: () => Promise<void>;
  handleData(packet: Buffer): Promise<void>;
  send(streamId: number, ppid: number, data: Buffer): Promise<void>;
  start(remotePort: number): Promise<void>;
  stop(): Promise<void>;
  setState(state: number): void;
};

/** What an SCTP transport asks of the DTLS transport below it; internal. */
export type SctpCarrier = {
  readonly id: string;
  readonly onStateChange: WeriftEvent<[state: string]>;
  readonly iceTransport: { readonly role: "controlling" | "controlled" };
  dataReceiver: (packet: Buffer) => void;
  sendData(packet: Buffer): Promise<void>;
};

export type Werift = {
  readonly Connection: new (controlling: boolean, options: { useIpv4: boolean; useIpv6: boolean }) => IceConnection;
  readonly StunProtocol: new () => StunProtocol;
  readonly Message: new (method: number, messageClass: number) => StunMessage;
  readonly methods: { readonly BINDING: number };
  readonly classes: { readonly REQUEST: number };
  readonly CandidatePairState: { readonly WAITING: number; readonly FAILED: number };
  readonly Candidate: new (
    foundation: string,
    component: number,
    transport: "udp",
    priority: number,
    host: string,
    port: number,
    type: string,
    relatedAddress?: string,
    relatedPort?: number,
    tcpType?: string,
    generation?: number,
    ufrag?: string,
  ) => WeriftCandidate;
  readonly RTCDtlsTransport: { SetupCertificate(): Promise<Certificate> };
  readonly DtlsClient: new (options: DtlsOptions) => DtlsClient;
  readonly DtlsServer: new (options: DtlsOptions) => DtlsSocket;
  readonly RTCSctpTransport: new (
    port: number,
    maxMessageSizeBytes: number,
    options: { mtu: number },
  ) => { readonly sctp: SctpAssociation; setDtlsTransport(carrier: SctpCarrier): void };
  readonly Event: new <Arguments extends unknown[]>() => WeriftEvent<Arguments>;
};

const CLASSES = ["Connection", "StunProtocol", "Message", "Candidate", "RTCDtlsTransport", "DtlsClient", "DtlsServer"];

let loading: Promise<Werift> | undefined;

/** Imports werift on first use (about 200 ms). Rejects with `E_WERIFT` where it is missing or a part of it is. */
export function loadWerift(): Promise<Werift> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Werift> {
  // A name that is no literal keeps the compiler from reading werift's types.
  const name: string = "werift";
  let module: Record<string, unknown>;
  try {
    module = await import(name);
  } catch (cause) {
    throw new RtcError("E_WERIFT", "the dependency werift cannot be loaded: install this package's dependencies", {
      cause,
    });
  }
  const missing = [...CLASSES, "RTCSctpTransport", "Event"].filter((part) => typeof module[part] !== "function");
  if (missing.length > 0) {
    throw new RtcError("E_WERIFT", `this werift lacks ${missing.join(", ")}: install exactly version 0.25.2`);
  }
  return module as unknown as Werift;
}
