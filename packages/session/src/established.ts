import type { NodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import type { Session } from "./session.ts";

/** A finished handshake: a Welcome that was read, or a first Data that opened. */
export type Established = {
  readonly peer: NodeId;
  readonly session: Session;
  readonly localEpoch: Uint8Array;
  readonly address: Address;
  /** Whether the peer is proved to receive at `address`. */
  readonly isValidated: boolean;
};
