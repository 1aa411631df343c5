// The optional backend: libdatachannel by node-datachannel 0.33.4, native, several times faster, under the Mozilla Public License. Not
// a dependency: whoever wants it installs and imports it, and hands it over. Its binding is typed by hand, for the same reason.
//
// It brings screens of its own; what a hub's policy says holds as well: candidates are filtered before they come here, no server is
// asked but those given, each message of it is a frame. It cannot be screened by source, and its certificate is one a channel.
import type { Candidate, Description } from "@starling/wire-protocol";
import { CANDIDATES_MAX } from "@starling/wire-protocol";
import { orCancelled, pause } from "./cancellation.ts";
import { FRAME_MAX_BYTES } from "./framing.ts";
import type { Link, LinkOptions, RtcBackend } from "./link.ts";
import { fromCandidateLine, fromSdp, toCandidateLine, toSdp } from "./sdp.ts";

const BUFFERED_MAX_BYTES = 65_536;
const SETTLE_MS = 20;
/** It frees what it holds on threads of its own. */
const CLOSE_MS = 1000;

/** What is used of the module `node-datachannel`. */
export type NodeDataChannel = {
  readonly PeerConnection: new (name: string, options: object) => NativeConnection;
};

type NativeConnection = {
  onLocalCandidate(callback: (candidate: string, mid: string) => void): void;
  onStateChange(callback: (state: string) => void): void;
  onGatheringStateChange(callback: (state: string) => void): void;
  setRemoteDescription(sdp: string, type: "offer" | "answer"): void;
  addRemoteCandidate(candidate: string, mid: string): void;
  createDataChannel(label: string, options: { negotiated: boolean; id: number }): NativeChannel;
  localDescription(): { readonly sdp: string } | null;
  rtt(): number;
  close(): void;
};

type NativeChannel = {
  onOpen(callback: () => void): void;
  onClosed(callback: () => void): void;
  onMessage(callback: (message: Buffer | string | ArrayBuffer) => void): void;
  onBufferedAmountLow(callback: () => void): void;
  setBufferedAmountLowThreshold(bytes: number): void;
  bufferedAmount(): number;
  sendMessageBinary(message: Uint8Array): boolean;
};

/** `createRtcHub({ backend: nodeDataChannelBackend(await import("node-datachannel")), ... })` */
export function nodeDataChannelBackend(native: NodeDataChannel): RtcBackend {
  return { warmUp: () => Promise.resolve(), open: (options) => new NativeLink(native, options) };
}

class NativeLink implements Link {
  readonly #options: LinkOptions;
  readonly #connection: NativeConnection;
  readonly #channel: NativeChannel;
  readonly #abort: AbortController = new AbortController();
  #isDescribed = false;
  // BOUNDED: a frame of the sender's window each.
  #waiting: (() => void)[] = [];
  #isSevered = false;

  constructor(native: NodeDataChannel, options: LinkOptions) {
    this.#options = options;
    const { bindAddresses, iceServers, offer } = options;
    const [bindAddress] = bindAddresses;
    const connection = new native.PeerConnection("", {
      iceServers: iceServers.map(({ ip, port }) => `stun:${ip.includes(":") ? `[${ip}]` : ip}:${port}`),
      maxMessageSize: FRAME_MAX_BYTES,
      // It binds one address or all of them.
      ...(bindAddresses.length === 1 ? { bindAddress } : {}),
    });
    this.#connection = connection;
    connection.onLocalCandidate((line) => this.#onCandidate(line));
    connection.onStateChange((state) => {
      if (state === "failed" && !this.#abort.signal.aborted) options.onClosed("failed");
    });
    if (offer !== undefined) connection.setRemoteDescription(toSdp(offer), "offer");
    this.#channel = connection.createDataChannel("", { negotiated: true, id: 0 });
    this.#listen(this.#channel);
  }

  get rttMs(): number | undefined {
    const rtt = this.#abort.signal.aborted ? 0 : this.#connection.rtt();
    return rtt > 0 ? rtt : undefined;
  }

  /** Its own ICE says when the peer is gone, after 30 s, and tells nothing of its checks. */
  get signsOfLife(): undefined {
    return undefined;
  }

  async describe(): Promise<Description> {
    const { signal } = this.#abort;
    const gathered = new Promise<void>((resolve) => {
      this.#connection.onGatheringStateChange((state) => state === "complete" && resolve());
    });
    await Promise.race([orCancelled(gathered, signal), pause(this.#options.gatherMs, signal)]);
    const description = fromSdp(this.#connection.localDescription()?.sdp ?? "");
    if (description === undefined) throw new Error("node-datachannel describes itself in another way");
    this.#isDescribed = true;
    return { ...description, candidates: description.candidates.slice(0, CANDIDATES_MAX) };
  }

  async connect(remote: Description): Promise<void> {
    if (this.#options.offer === undefined) this.#connection.setRemoteDescription(toSdp(remote), "answer");
  }

  addCandidate(candidate: Candidate, rank: number): void {
    this.#connection.addRemoteCandidate(toCandidateLine(candidate, rank), "0");
  }

  /** Resolves when little of what was sent waits. */
  async send(frame: Uint8Array): Promise<void> {
    if (this.#isSevered || this.#abort.signal.aborted) return;
    try {
      this.#channel.sendMessageBinary(frame);
      if (this.#channel.bufferedAmount() <= BUFFERED_MAX_BYTES) return;
    } catch {
      // Closed meanwhile.
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** As near as it tells: nothing waits for SCTP any more, and the peer has had a moment to say what it lacks. */
  async acknowledged(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted && this.#channel.bufferedAmount() > 0) await pause(SETTLE_MS, signal);
    await pause(SETTLE_MS, signal);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#flush();
    const closed = new Promise<void>((resolve) => {
      this.#connection.onStateChange((state) => state === "closed" && resolve());
    });
    this.#connection.close();
    await Promise.race([closed, pause(CLOSE_MS, new AbortController().signal)]);
  }

  /** It has no way to lose its sockets: it neither says nor hears anything more. */
  sever(): void {
    this.#isSevered = true;
  }

  #listen(channel: NativeChannel): void {
    const { onEstablished, onFrame, onClosed } = this.#options;
    const isOver = () => this.#isSevered || this.#abort.signal.aborted;
    channel.setBufferedAmountLowThreshold(BUFFERED_MAX_BYTES);
    channel.onBufferedAmountLow(() => this.#flush());
    channel.onOpen(() => !isOver() && onEstablished());
    channel.onClosed(() => !isOver() && onClosed("remote"));
    channel.onMessage((message) => {
      if (isOver()) return;
      if (typeof message === "string") onClosed("misbehaved");
      else onFrame(message instanceof ArrayBuffer ? new Uint8Array(message) : message);
    });
  }

  #onCandidate(line: string): void {
    const candidate = fromCandidateLine(line);
    if (candidate !== undefined && this.#isDescribed && !this.#abort.signal.aborted) {
      this.#options.onLateCandidate(candidate);
    }
  }

  #flush(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
