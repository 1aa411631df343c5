// The SCTP association of one channel (RFC 8831 with one negotiated, reliable, ordered stream 0): werift's, behind our own screen,
// without its DCEP.
import { randomInt } from "node:crypto";
import { FRAME_MAX_BYTES } from "./framing.ts";
import { BINARY_PPID, CHANNEL_STREAM, firstTsn, screenSctp } from "./sctp-screen.ts";
import type { SctpAssociation, SctpCarrier, Werift } from "./werift.ts";

const SCTP_PORT = 5000;
/** werift's default: fits every path that carries 1280-byte packets. */
const MTU_BYTES = 1191;
const STATE_CLOSED = 1;
const STATE_ESTABLISHED = 4;
/** werift's window; what it holds of unfinished or unordered messages counts against it. */
const WINDOW_BYTES: number = 1024 * 1024;
/** Chunks that werift may hold: more than a full window in full packets, few enough for its sorting. */
const CHUNKS_MAX = 2048;
/**
 * werift sorts TSNs as text, so that the association hangs where one gets a digit more, or wraps, while another is missing. Begun
 * here, ten digits last for a terabyte.
 */
const TSN_FIRST_MIN = 1_000_000_000;
const TSN_FIRST_MAX = 3_000_000_000;
const TSN_MODULUS: number = 2 ** 32;
/** RFC 9260 §16: RTO.Initial 1 s; werift begins with 3 s. */
const RTO_INITIAL_S = 1;

export type SctpLinkOptions = {
  readonly werift: Werift;
  /** Sends INIT. */
  readonly isClient: boolean;
  readonly send: (packet: Uint8Array) => Promise<void>;
  readonly onEstablished: () => void;
  readonly onFrame: (frame: Uint8Array) => void;
  readonly onClosed: (reason: "remote" | "failed" | "misbehaved") => void;
  readonly onDropped: () => void;
};

export class SctpLink {
  readonly #options: SctpLinkOptions;
  readonly #sctp: SctpAssociation;
  readonly #carrier: SctpCarrier;
  #isClosed = false;
  #onAcknowledged: (() => void) | undefined;

  constructor(options: SctpLinkOptions) {
    this.#options = options;
    const { werift, isClient } = options;
    this.#carrier = {
      id: "starling",
      onStateChange: new werift.Event<[string]>(),
      iceTransport: { role: isClient ? "controlling" : "controlled" },
      dataReceiver: () => {},
      sendData: (packet) => options.send(packet),
    };
    const transport = new werift.RTCSctpTransport(SCTP_PORT, FRAME_MAX_BYTES, { mtu: MTU_BYTES });
    transport.setDtlsTransport(this.#carrier);
    const sctp = transport.sctp;
    // Its transport would open, answer and close channels by DCEP; here stream 0 is the channel, and there is no other.
    sctp.onReceive.allUnsubscribe();
    sctp.onReconfigStreams.allUnsubscribe();
    sctp.onSackReceived = async () => this.#checkAcknowledged();
    setFirstTsn(sctp, randomInt(TSN_FIRST_MIN, TSN_FIRST_MAX));
    sctp.isServer = !isClient;
    sctp.rto = RTO_INITIAL_S;
    sctp.onReceive.subscribe((_stream, _ppid, frame) => {
      if (!this.#isClosed) options.onFrame(frame);
    });
    sctp.stateChanged.connected.subscribe(options.onEstablished);
    sctp.stateChanged.closed.subscribe(() => {
      if (!this.#isClosed) options.onClosed("failed");
    });
    this.#sctp = sctp;
  }

  get rttMs(): number | undefined {
    return this.#sctp.srtt === undefined ? undefined : this.#sctp.srtt * 1000;
  }

  start(): void {
    this.#sctp.start(SCTP_PORT).catch(() => this.#options.onClosed("failed"));
  }

  /** A packet out of DTLS: its sender is the peer, its content untrusted. */
  receive(packet: Buffer): void {
    if (this.#isClosed) return;
    const { onDropped, onClosed } = this.#options;
    const sctp = this.#sctp;
    const verdict = screenSctp(packet, sctp.associationState === STATE_ESTABLISHED);
    if (verdict === "drop") {
      onDropped();
      return;
    }
    if (verdict === "misbehaved") {
      onClosed("misbehaved");
      return;
    }
    if (verdict === "remote-close") {
      onClosed("remote");
      return;
    }
    if (!this.#hasRoomFor(firstTsn(packet))) {
      onDropped();
      return;
    }
    sctp.handleData(packet).catch(onDropped);
    this.#checkUnfinished();
  }

  /** Resolves when werift has handed the frame to the network, or has closed. */
  async send(frame: Uint8Array): Promise<void> {
    const { buffer, byteOffset, length } = frame;
    await this.#sctp.send(CHANNEL_STREAM, BINARY_PPID, Buffer.from(buffer, byteOffset, length)).catch(() => {});
  }

  /** Resolves when the peer has acknowledged all that was sent; never, where it does not. */
  acknowledged(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAcknowledged = resolve;
      this.#checkAcknowledged();
    });
  }

  /** Tells the peer by an ABORT, ends the timers, settles the sends. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const sctp = this.#sctp;
    await sctp.stop().catch(() => {});
    sctp.outboundQueue = [];
    sctp.flush.execute();
    // A chunk that was being sent just now sets its timer afterwards: once more, when that has happened.
    await new Promise((resolve) => setImmediate(resolve));
    sctp.setState(STATE_CLOSED);
  }

  #checkAcknowledged(): void {
    const { outboundQueue, sentQueue } = this.#sctp;
    if (outboundQueue.length + sentQueue.length === 0) this.#onAcknowledged?.();
  }

  /** What cannot be held is not acknowledged, so a peer in its right mind sends it again; what is next in order always can. */
  #hasRoomFor(tsn: number | undefined): boolean {
    const { advertisedRwnd, sackMisOrdered, lastReceivedTsn } = this.#sctp;
    if (tsn === undefined || lastReceivedTsn === undefined || tsn === (lastReceivedTsn + 1) % TSN_MODULUS) return true;
    return advertisedRwnd > 0 && sackMisOrdered.size < CHUNKS_MAX && this.#chunks < CHUNKS_MAX;
  }

  /** With nothing missing, whatever werift still holds belongs to one unfinished message. */
  #checkUnfinished(): void {
    const { advertisedRwnd, sackMisOrdered } = this.#sctp;
    if (sackMisOrdered.size > 0) return;
    if (WINDOW_BYTES - advertisedRwnd > FRAME_MAX_BYTES || this.#chunks > CHUNKS_MAX) {
      this.#options.onClosed("misbehaved");
    }
  }

  get #chunks(): number {
    return this.#sctp.inboundStreams[CHANNEL_STREAM]?.reassembly.length ?? 0;
  }
}

function setFirstTsn(sctp: SctpAssociation, tsn: number): void {
  sctp.localTsn = tsn;
  sctp.lastSackedTsn = tsn - 1;
  sctp.advancedPeerAckTsn = tsn - 1;
  sctp.reconfigRequestSeq = tsn;
}
