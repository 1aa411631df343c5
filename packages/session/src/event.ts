// What a session table tells its owner, and what it asks of it.
import type { NodeId } from "@starling/crypto-identity";
import type { Address, Frame } from "@starling/wire-protocol";
import type { Now } from "./now.ts";
import type { Traffic } from "./traffic.ts";

/** Send this datagram. */
export type Transmit = { readonly to: Address; readonly datagram: Uint8Array };

/** Why a link ended: silence, the peer's Bye, our own `close`, or one that needed its place. */
export type CloseReason = "timeout" | "bye" | "local" | "evicted";

/** What happened to links. */
export type SessionEvent =
  /** A peer without an open link has one now; or, with `restarted`, an open link's peer has begun a new life. */
  | {
      readonly type: "opened";
      readonly peer: NodeId;
      readonly address: Address;
      readonly initiator: boolean;
      readonly restarted: boolean;
    }
  /** A frame for the layers above; of the session's own kinds only Pong, after its echo was checked. The body is a view. */
  | { readonly type: "frame"; readonly peer: NodeId; readonly frame: Frame }
  | { readonly type: "acknowledged"; readonly peer: NodeId; readonly token: number }
  /**
   * The frame is handed back: over UDP a Send after 5 tries and a Publish of one datagram after 2, anything when the link ends. It may
   * have arrived all the same.
   */
  | { readonly type: "undelivered"; readonly peer: NodeId; readonly token: number }
  /** A dial of the owner's was answered from the address that was dialled; "opened" precedes it where no link was open. */
  | { readonly type: "answered"; readonly peer: NodeId; readonly address: Address }
  /** What a Welcome answered to the Lookup of a dial. */
  | { readonly type: "nodes"; readonly peer: NodeId; readonly body: Uint8Array }
  /** The peer has proved to receive at another address than was last told. */
  | { readonly type: "moved"; readonly peer: NodeId; readonly address: Address }
  /** A dial got no Welcome from the address that was dialled, or one that says nothing new; a link may be open all the same. */
  | { readonly type: "unreachable"; readonly peer: NodeId; readonly address: Address }
  | {
      readonly type: "closed";
      readonly peer: NodeId;
      readonly reason: CloseReason;
      readonly bye: Uint8Array | undefined;
    };

/** What the owner answers in the session's name. Both calls only read: they may come from a replay. */
export type SessionOwner = {
  /** Body of the Pong that answers a Ping; its first 8 bytes are the echo. */
  pongBody(ping: {
    readonly echo: Uint8Array;
    readonly peer: NodeId;
    readonly observed: Address;
    readonly now: Now;
  }): Uint8Array;
  /** Body of the Nodes that answers the Lookup in a Hello from this address; may be empty. The Lookup is untrusted. */
  nodesBody(lookupBody: Uint8Array, from: Address): Uint8Array;
};

/** A link as it is now. `sinceMono`, `lastHeardMono`: monotonic ms; `queuedBytes` wait to be sent. */
export type SessionInfo = {
  readonly peer: NodeId;
  readonly address: Address;
  /** Whether the peer has proved that it receives there. */
  readonly isValidated: boolean;
  /** undefined before the first sample. */
  readonly rttMs: number | undefined;
  readonly sinceMono: number;
  /** When the keys in use were agreed on. */
  readonly keysSinceMono: number;
  /** Whether the keys in use come from our Hello. */
  readonly initiator: boolean;
  readonly lastHeardMono: number;
  /** Since when something has been in flight without any ack; infinity when nothing is. */
  readonly unackedSinceMono: number;
  readonly queuedBytes: number;
  readonly traffic: Readonly<Traffic>;
};
