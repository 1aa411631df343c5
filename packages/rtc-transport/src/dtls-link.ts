// DTLS 1.2 over ICE for one channel: werift's handshake behind our own filter, the peer's certificate and its proof checked by us.
import { createHash, createSecretKey, timingSafeEqual } from "node:crypto";
import { pause } from "./cancellation.ts";
import type { LocalCertificate } from "./certificate.ts";
import { provesClient, provesServer } from "./dtls-proof.ts";
import { RECORD_HEADER_BYTES, screenDtls } from "./dtls-screen.ts";
import { endFlightsWith } from "./flight-retransmission.ts";
import { HandshakeOrder } from "./handshake-order.ts";
import type { DtlsClient, DtlsRecord, DtlsSocket, DtlsTransport, Werift } from "./werift.ts";

/** Datagrams of a handshake, repeats included; a peer that sends more has another purpose. */
const HANDSHAKE_DATAGRAMS_MAX = 256;
const SERVER_KEY_EXCHANGE = 12;
const READY_STEP_MS = 20;
const READY_TRIES_MAX = 50;

export type DtlsLinkOptions = {
  readonly werift: Werift;
  readonly certificate: LocalCertificate;
  readonly isClient: boolean;
  /** SHA-256 of the certificate that the description promised. */
  readonly fingerprint: Uint8Array;
  readonly signal: AbortSignal;
  readonly send: (data: Uint8Array) => Promise<void>;
  readonly onData: (data: Buffer) => void;
  /** An authenticated alert: the peer ends the connection. */
  readonly onAlert: () => void;
  readonly onDropped: () => void;
};

export class DtlsLink {
  readonly #options: DtlsLinkOptions;
  readonly #socket: DtlsSocket;
  readonly #transport: DtlsTransport;
  #isConnected = false;
  #isVerified = false;
  #handshakeDatagrams = 0;
  #keyExchange: Buffer | undefined;
  /** Resolves when the handshake is done with the promised certificate; rejects with another one. Never settles without one. */
  readonly connected: Promise<void>;

  constructor(options: DtlsLinkOptions) {
    this.#options = options;
    const { werift, certificate, isClient, signal } = options;
    this.#transport = {
      type: "ice",
      closed: false,
      address: {},
      onData: () => {},
      send: options.send,
      close: async () => {},
    };
    const settings = {
      transport: this.#transport,
      cert: certificate.pem.certPem,
      key: certificate.pem.privateKey,
      signatureHash: certificate.pem.signatureHash,
      // No media here, yet a RTCPeerConnection of werift takes no DTLS client that does not offer it (RFC 5764 §4.1.2: 7 and 1).
      srtpProfiles: [7, 1],
      extendedMasterSecret: true,
      // The server asks for a certificate, the client waits to be asked: else it answers without where the request is lost.
      certificateRequest: true,
    } as const;
    const socket = isClient ? new werift.DtlsClient(settings) : new werift.DtlsServer(settings);
    this.#socket = socket;
    endFlightsWith(signal, socket);
    socket.waitForReady = (condition) => waitForReady(condition, signal);
    const order = new HandshakeOrder();
    const handle = socket.onHandleHandshakes;
    socket.onHandleHandshakes = async (messages) => {
      const ready = order.take(messages);
      this.#keyExchange ??= ready.find(({ msg_type }) => msg_type === SERVER_KEY_EXCHANGE)?.fragment;
      if (!signal.aborted && ready.length > 0) await handle(ready);
    };
    socket.onData.subscribe((data) => {
      if (this.#isVerified) options.onData(data);
    });
    this.connected = new Promise((resolve, reject) => {
      socket.onConnect.subscribe(() => {
        if (this.#isConnected) return;
        this.#isConnected = true;
        if (!this.#isPromisedPeer()) {
          reject(new Error("the peer does not prove the certificate that was described"));
          return;
        }
        this.#isVerified = true;
        useKeyObjects(socket);
        resolve();
      });
    });
    this.connected.catch(() => {});
  }

  /** The client speaks first. */
  start(): void {
    if (this.#options.isClient) (this.#socket as DtlsClient).connect().catch(() => {});
  }

  /** A datagram of DTLS from an admitted source; still untrusted. */
  receive(data: Buffer): void {
    const { onDropped, onAlert, signal } = this.#options;
    if (signal.aborted) return;
    if (!this.#isConnected) this.#handshakeDatagrams += 1;
    if (this.#handshakeDatagrams > HANDSHAKE_DATAGRAMS_MAX && !this.#isConnected) {
      onDropped();
      return;
    }
    const { passed, alerts, dropped } = screenDtls(data, this.#isConnected);
    if (dropped > 0) onDropped();
    try {
      if (passed !== undefined) this.#transport.onData(passed);
    } catch {
      onDropped();
    }
    for (const alert of alerts) {
      if (this.#isVerified && this.#opens(alert)) {
        onAlert();
        return;
      }
      onDropped();
    }
  }

  /** One SCTP packet. */
  async send(packet: Uint8Array): Promise<void> {
    if (this.#isVerified) await this.#socket.send(packet).catch(() => {});
  }

  #isPromisedPeer(): boolean {
    const { remoteCertificate } = this.#socket;
    if (remoteCertificate === undefined) return false;
    const digest = createHash("sha256").update(remoteCertificate).digest();
    const { fingerprint, isClient } = this.#options;
    if (digest.length !== fingerprint.length || !timingSafeEqual(digest, fingerprint)) return false;
    return isClient ? provesServer(this.#socket, this.#keyExchange) : provesClient(this.#socket);
  }

  #opens(record: Buffer): boolean {
    try {
      return this.#socket.cipher.decryptPacket(viewRecord(record)).length === 2;
    } catch {
      return false;
    }
  }
}

/** AES-GCM with a Buffer for a key is several times slower than with a KeyObject on Node 24. */
function useKeyObjects(socket: DtlsSocket): void {
  const { cipher } = socket.cipher;
  if (cipher === undefined || !Buffer.isBuffer(cipher.clientWriteKey) || !Buffer.isBuffer(cipher.serverWriteKey))
    return;
  cipher.clientWriteKey = createSecretKey(cipher.clientWriteKey);
  cipher.serverWriteKey = createSecretKey(cipher.serverWriteKey);
}

/** werift's own wait cannot be ended. */
async function waitForReady(condition: () => boolean, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < READY_TRIES_MAX && !signal.aborted; tries += 1) {
    if (condition()) return;
    await pause(READY_STEP_MS, signal);
  }
  throw new Error("a message of the handshake is missing");
}

function viewRecord(record: Buffer): DtlsRecord {
  return {
    fragment: record.subarray(RECORD_HEADER_BYTES),
    recordLayerHeader: {
      contentType: record.readUInt8(0),
      protocolVersion: { major: record.readUInt8(1), minor: record.readUInt8(2) },
      epoch: record.readUInt16BE(3),
      sequenceNumber: record.readUIntBE(5, 6),
      contentLen: record.readUInt16BE(11),
    },
  };
}
