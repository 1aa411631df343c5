// The peer of the figures: werift 0.25.2's own RTCPeerConnection, two of them in this process, used as its README shows.
import { createSecretKey } from "node:crypto";
import { once } from "node:events";

export const WERIFT = "werift 0.25.2";

export type RawChannel = {
  readonly readyState: string;
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  readonly bufferedAmountLow: { once(listener: () => void): void };
  readonly onMessage: { subscribe(listener: (data: Buffer) => void): void };
  readonly stateChanged: { subscribe(listener: (state: string) => void): void };
  send(data: Buffer): void;
};

type RawConnection = {
  readonly localDescription: { readonly sdp: string };
  readonly iceTransports: readonly { readonly connection: { stunServer: unknown } }[];
  readonly dtlsTransports: readonly {
    readonly dtls?: { readonly cipher: { readonly cipher?: { clientWriteKey: unknown; serverWriteKey: unknown } } };
    sendData(packet: Buffer): Promise<void>;
  }[];
  readonly sctpTransport?: { readonly sctp: object };
  createDataChannel(label: string, options?: { negotiated: boolean; id: number }): RawChannel;
  createOffer(): Promise<object>;
  createAnswer(): Promise<object>;
  setLocalDescription(description: object): Promise<unknown>;
  setRemoteDescription(description: { readonly type: string; readonly sdp: string }): Promise<void>;
  close(): Promise<void>;
};

export type RawEnd = {
  readonly connection: RawConnection;
  readonly channel: RawChannel;
  /** Called for each message: the channel has one listener for good, for it would keep every other one that it is given. */
  onArrival: () => void;
};

/** A connection with one negotiated channel, as a hub has it. */
export async function rawEnd(host?: string): Promise<RawEnd> {
  // A name that is no literal: its d.ts files need skipLibCheck.
  const name: string = "werift";
  const { RTCPeerConnection } = await import(name);
  const options = host === undefined ? {} : { iceAdditionalHostAddresses: [host], iceUseIpv6: false };
  const connection: RawConnection = new RTCPeerConnection({ iceServers: [], ...options });
  const channel = connection.createDataChannel("", { negotiated: true, id: 0 });
  // An empty list still asks Google, for five seconds where there is no internet.
  for (const { connection: ice } of connection.iceTransports) ice.stunServer = undefined;
  const end: RawEnd = { connection, channel, onArrival: () => undefined };
  channel.onMessage.subscribe(() => end.onArrival());
  return end;
}

export async function openRaw(): Promise<{
  readonly a: RawEnd;
  readonly b: RawEnd;
  readonly close: () => Promise<void>;
}> {
  const [a, b] = await Promise.all([rawEnd("127.0.0.1"), rawEnd("127.0.0.1")]);
  await a.connection.setLocalDescription(await a.connection.createOffer());
  await b.connection.setRemoteDescription({ type: "offer", sdp: a.connection.localDescription.sdp });
  await b.connection.setLocalDescription(await b.connection.createAnswer());
  await a.connection.setRemoteDescription({ type: "answer", sdp: b.connection.localDescription.sdp });
  await Promise.all([a, b].map(({ channel }) => isOpen(channel)));
  const close = async () => {
    await Promise.all([a.connection.close(), b.connection.close()]);
  };
  return { a, b, close };
}

export function isOpen(channel: RawChannel): Promise<void> {
  return new Promise((resolve) => {
    if (channel.readyState === "open") resolve();
    else channel.stateChanged.subscribe((state) => state === "open" && resolve());
  });
}

/** What makes werift fast on Node 24, and nothing else that a hub does. */
export function useKeyObjects(...ends: readonly RawEnd[]): void {
  for (const { connection } of ends) {
    const keys = connection.dtlsTransports[0]?.dtls?.cipher.cipher;
    if (!Buffer.isBuffer(keys?.clientWriteKey) || !Buffer.isBuffer(keys.serverWriteKey)) throw new Error("no keys");
    keys.clientWriteKey = createSecretKey(keys.clientWriteKey);
    keys.serverWriteKey = createSecretKey(keys.serverWriteKey);
  }
}

/** Sends `count` messages with never more than the window in its hands, and resolves when they are at the other end. */
export async function pumpRaw(
  a: RawEnd,
  b: RawEnd,
  count: number,
  message: Buffer,
  windowBytes: number,
): Promise<void> {
  let received = 0;
  const done = new EventTarget();
  const arrived = once(done, "all");
  b.onArrival = () => {
    received += 1;
    if (received === count) done.dispatchEvent(new Event("all"));
  };
  const { channel } = a;
  channel.bufferedAmountLowThreshold = Math.floor(windowBytes / 2);
  for (let sent = 0; sent < count; sent += 1) {
    if (channel.bufferedAmount + message.length > windowBytes && channel.bufferedAmount > windowBytes / 2) {
      await new Promise<void>((resolve) => channel.bufferedAmountLow.once(resolve));
    }
    channel.send(message);
  }
  await arrived;
}
