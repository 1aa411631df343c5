// What a channel needs of the WebRTC below it: werift by default, node-datachannel where it is asked for.
import type { Address, Candidate, Description } from "@starling/wire-protocol";

/** Why something that came to a channel's socket was not taken, by the layer that refused it. */
export type DropReason = "stun" | "source" | "dtls" | "sctp" | "candidate" | "budget";

export type LinkOptions = {
  /** The peer's offer, its candidates filtered, where this side answers. */
  readonly offer: Description | undefined;
  readonly bindAddresses: readonly string[];
  readonly iceServers: readonly Address[];
  readonly gatherMs: number;
  /** A local candidate that was found after the description. */
  readonly onLateCandidate: (candidate: Candidate) => void;
  /** Frames can be sent. */
  readonly onEstablished: () => void;
  readonly onFrame: (frame: Uint8Array) => void;
  readonly onClosed: (reason: "remote" | "failed" | "misbehaved") => void;
  readonly onDropped: (reason: DropReason) => void;
};

export type Link = {
  /** Binds and gathers. Rejects where no address can be bound. */
  describe(): Promise<Description>;
  /** Connects; `remote` is valid, its candidates filtered. Rejects where it is not the peer that was described. */
  connect(remote: Description): Promise<void>;
  /** A late candidate of the peer, filtered, after `connect` was called; `rank` 0 is the most preferred. */
  addCandidate(candidate: Candidate, rank: number): void;
  /** Resolves when the frame has gone to the network, or never will. */
  send(frame: Uint8Array): Promise<void>;
  /** Resolves when the peer has acknowledged all that was sent. */
  acknowledged(): Promise<void>;
  /** Tells the peer, if it can be told, and frees everything; resolves when it is free. What was awaited may never settle. */
  close(): Promise<void>;
  /** Loses its sockets without a word to anybody. */
  sever(): void;
  readonly rttMs: number | undefined;
  /** Counts what only the living peer can have sent; undefined where the backend itself says when it is gone. */
  readonly signsOfLife: number | undefined;
};

/** What makes links. */
export type RtcBackend = {
  /** Loads what it needs; rejects with an RtcError. */
  warmUp(): Promise<void>;
  /** Only after `warmUp`. */
  open(options: LinkOptions): Link;
};
