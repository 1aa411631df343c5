import type { NodeId } from "@starling/crypto-identity";

// When talk with a peer is worth a channel of its own, PROTOCOL §9: three messages, or 16 KiB, within 30 s.

const WITHIN_MS = 30_000;
const MESSAGES = 3;
const BYTES = 16 * 1024;
// BOUNDED: peers that programs here talk to; the one longest ago makes room.
const PEERS_MAX = 1024;

type Use = { sinceMono: number; messages: number; bytes: number };

export class ChannelDemand {
  readonly #uses = new Map<NodeId, Use>();

  /** Notes a message to a peer; true when its channel is now wanted. */
  note(peer: NodeId, sizeBytes: number, nowMono: number): boolean {
    let use = this.#uses.get(peer);
    if (use === undefined || nowMono - use.sinceMono > WITHIN_MS) use = { sinceMono: nowMono, messages: 0, bytes: 0 };
    use.messages += 1;
    use.bytes += sizeBytes;
    this.#uses.delete(peer);
    this.#uses.set(peer, use);
    const oldest = this.#uses.keys().next();
    if (this.#uses.size > PEERS_MAX && !oldest.done) this.#uses.delete(oldest.value);
    return use.messages >= MESSAGES || use.bytes >= BYTES;
  }
}
