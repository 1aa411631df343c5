import type { NodeId } from "@starling/crypto-identity";
import type { SessionInfo } from "@starling/session";
import type { UdpError } from "./errors.ts";
import type { Waiting } from "./outstanding.ts";

/** Who waits for a session to open. */
export class Connecting {
  // BOUNDED: by the dials of the session table, and the calls of the program itself.
  readonly #waiting: Map<NodeId, Waiting<SessionInfo>[]> = new Map();

  add(peer: NodeId, waiting: Waiting<SessionInfo>): void {
    this.#waiting.set(peer, [...(this.#waiting.get(peer) ?? []), waiting]);
  }

  opened(peer: NodeId, info: SessionInfo | undefined): void {
    for (const { resolve } of this.#take(peer)) if (info !== undefined) resolve(info);
  }

  fail(peer: NodeId, error: UdpError): void {
    for (const { reject } of this.#take(peer)) reject(error);
  }

  failAll(error: UdpError): void {
    for (const peer of [...this.#waiting.keys()]) this.fail(peer, error);
  }

  #take(peer: NodeId): readonly Waiting<SessionInfo>[] {
    const waiting = this.#waiting.get(peer) ?? [];
    this.#waiting.delete(peer);
    return waiting;
  }
}
