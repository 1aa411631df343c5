import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { generateIdentity, type NodeId, nodeIdToBytes, systemRandom as random } from "@starling/crypto-identity";
import { createSessionCrypto, type SessionCrypto, SessionTable } from "@starling/session";
import { openUdpSocket } from "@starling/udp-transport";
import { isReliable, readFrames } from "@starling/wire-protocol";

// Peers of a relay whose sessions are opened by the code of the session package, all from one port; then their keys and numbers are
// handed to load.c, which goes on from there.

const OPEN_MS = 30_000;
const QUIET_MS = 1_500;
const PEER = { ip: "127.0.0.1", port: 9 };
const now = (): { mono: number; wall: number } => ({ mono: performance.now(), wall: Date.now() });
const owner = { pongBody: ({ echo }: { readonly echo: Uint8Array }) => echo, nodesBody: () => new Uint8Array(0) };

class Peer {
  readonly id: NodeId;
  readonly table: SessionTable;
  localIndex = 0;
  #remoteIndex = 0;
  #nextCounter = 0;
  #keys: readonly string[] = [];
  /** Numbered frames of the relay, and of this peer, so far. */
  #received = 0;
  #sent = 0;

  constructor(network: string) {
    const session = createSessionCrypto({ identity: generateIdentity(random), network, random });
    this.id = session.id;
    this.table = new SessionTable({ crypto: this.#overheard(session), random, owner });
  }

  sent(datagram: Uint8Array): void {
    const view = new DataView(datagram.buffer, datagram.byteOffset);
    if (datagram[0] === 0x50) this.localIndex = view.getUint32(1);
    if (datagram[0] !== 0x53) return;
    this.#remoteIndex = view.getUint32(1);
    this.#nextCounter = Number(view.getBigUint64(5)) + 1;
  }

  /** As load.c reads it. */
  get line(): string {
    const numbers = [this.localIndex, this.#remoteIndex, this.#nextCounter, this.#sent, this.#received];
    return [...numbers, ...this.#keys, Buffer.from(nodeIdToBytes(this.id)).toString("hex")].join(" ");
  }

  #overheard(session: SessionCrypto): SessionCrypto {
    return {
      ...session,
      initiate: (responder, payload) => {
        const initiation = session.initiate(responder, payload);
        return {
          message: initiation.message,
          finish: (message) => {
            const { result: finished, keys } = withKeys(() => initiation.finish(message));
            if (finished === undefined) return undefined;
            // The last two that a handshake makes: for what is sent, for what is received.
            this.#keys = keys.slice(-2);
            const { send, receive } = finished.keys;
            const open: typeof receive.open = (counter, header, ciphertext) => {
              const plaintext = receive.open(counter, header, ciphertext);
              this.#received += reliableCount(plaintext);
              return plaintext;
            };
            const seal: typeof send.seal = (counter, header, plaintext) => {
              this.#sent += reliableCount(plaintext);
              return send.seal(counter, header, plaintext);
            };
            return { ...finished, keys: { ...finished.keys, send: { ...send, seal }, receive: { ...receive, open } } };
          },
        };
      },
    };
  }
}

/** Runs something, and overhears the keys that are made meanwhile: the package that makes them gives none away, as it should. */
function withKeys<Result>(run: () => Result): { readonly result: Result; readonly keys: readonly string[] } {
  const { createSecretKey } = crypto;
  const keys: string[] = [];
  crypto.createSecretKey = ((key: Uint8Array) => {
    keys.push(Buffer.from(key).toString("hex"));
    return createSecretKey(key);
  }) as typeof createSecretKey;
  syncBuiltinESMExports();
  try {
    return { result: run(), keys };
  } finally {
    crypto.createSecretKey = createSecretKey;
    syncBuiltinESMExports();
  }
}

function reliableCount(plaintext: Uint8Array | undefined): number {
  const frames = plaintext && readFrames(plaintext);
  return frames?.ok ? frames.value.filter(({ kind }) => isReliable(kind)).length : 0;
}

export type OpenedPeers = {
  /** The one that they all have, and that load.c takes over. */
  readonly port: number;
  /** A line for each, as load.c reads it. */
  readonly lines: readonly string[];
};

/** Opens sessions with a relay on loopback. */
export async function openPeers(
  relay: { readonly id: NodeId; readonly port: number },
  network: string,
  count: number,
): Promise<OpenedPeers> {
  const peers = Array.from({ length: count }, () => new Peer(network));
  const flush = (peer: Peer): void => {
    for (const { datagram } of peer.table.flush(now())) {
      peer.sent(datagram);
      socket.send(datagram, { ip: "127.0.0.1", port: relay.port });
    }
  };
  const socket = await openUdpSocket({
    host: "127.0.0.1",
    port: 0,
    onDatagram(bytes) {
      const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes[0] === 0x51 ? 5 : 1);
      const peer = peers.find(({ localIndex }) => localIndex === index);
      if (peer === undefined) return;
      peer.table.receive(bytes, PEER, now());
      flush(peer);
    },
  });
  for (const peer of peers) {
    peer.table.connect(relay.id, PEER, now());
    flush(peer);
  }
  const startedMono = performance.now();
  const isOpen = (): boolean => peers.every(({ table }) => table.get(relay.id)?.rttMs !== undefined);
  // What a relay tells new neighbours has come and was acknowledged by then.
  while (!isOpen() || performance.now() - startedMono < QUIET_MS) {
    if (performance.now() - startedMono > OPEN_MS) throw new Error("the sessions do not open");
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const peer of peers) {
      // A dial gives up after three Hellos; one that is under way is left alone.
      if (!peer.table.has(relay.id)) peer.table.connect(relay.id, PEER, now());
      peer.table.tick(now());
      flush(peer);
    }
  }
  const { port } = socket.address;
  await socket.close();
  return { port, lines: peers.map(({ line }) => line) };
}
