import type { NodeId } from "@starling/crypto-identity";
import { FRAME_KIND, HOP_LIMIT, PUBLISH_HOPS_MAX } from "@starling/wire-protocol";
import { type CryptoTap, watchPlaintexts } from "./crypto-tap.ts";
import { bytesKey, eachFrame, PUBLISH_MIN_BYTES, PUBLISH_SIGNATURE, SEND_LOCK, SEND_MIN_BYTES } from "./frames.ts";
import type { SimNode, SimRelay } from "./machine.ts";
import type { World } from "./world.ts";

// What must hold after each step of each core, whatever the faults. That nothing is delivered twice is the ledger's to see.

/** PROTOCOL §10, and the BOUNDED comments of the tables. */
const PENDING_MAX = 65_536;
/** Configured bootstrap nodes, of which no scenario has more than 4, and 16 that have yet to prove their need (PROTOCOL §6). */
const BEYOND_MAX = 4 + 16;
const WAITING_MAX = 2000;
const SEEN_FILTER_MAX_BYTES = 128 * 1024 * 1024;

/** Who had it before this machine first sent it on, with the hops that came, who after, and whom it went to. */
type Passage = {
  readonly before: Map<NodeId, number>;
  readonly after: Set<NodeId>;
  readonly out: Set<NodeId>;
  /** Its clock was stepped meanwhile: it may refuse as stale what comes, and then does not know who has it. */
  isBlurred: boolean;
};

export class Invariants {
  readonly violations: string[] = [];
  readonly #maxNeighbours: number;
  readonly #maxChannels: number;
  /** For each machine and each envelope or publication: the links it came from and went to. */
  readonly #passages = new Map<NodeId, Map<string, Passage>>();

  constructor(limits: { readonly maxNeighbours: number; readonly maxChannels: number }) {
    this.#maxNeighbours = limits.maxNeighbours;
    this.#maxChannels = limits.maxChannels;
  }

  /** Before machines are added. */
  watch(world: World): void {
    world.afterRelayStep = (relay) => this.#step(relay, 0);
    world.afterNodeStep = (node) => {
      this.#step(node, this.#maxChannels);
      const { waitingCount } = node.core;
      if (waitingCount > WAITING_MAX) this.violated(`${node.id} holds ${waitingCount} messages in its inbox`);
    };
  }

  /** Looks at what this machine sends and opens: nothing goes back to where it came from. */
  tap(self: () => NodeId): CryptoTap {
    return watchPlaintexts({
      opened: (peer, plaintext) => {
        eachFrame(plaintext, (kind, start, end) => {
          const key = contentKey(kind, plaintext, start, end);
          if (key === undefined) return;
          const { before, after, out } = this.#passage(self(), key);
          if (out.size === 0) before.set(peer, hopsOf(plaintext, start));
          else if (!before.has(peer)) after.add(peer);
        });
      },
      sealing: (peer, plaintext) => {
        eachFrame(plaintext, (kind, start, end) => {
          const key = contentKey(kind, plaintext, start, end);
          if (key === undefined) return;
          const { before, after, out, isBlurred } = this.#passage(self(), key);
          // Certain is only what had come from nowhere else: the first of several copies may have been refused, and the
          // frame may have waited in the queue of a new link while another copy came over it. One that came in fragments is not
          // seen here, but it has other hops. One that went there before it came from there crossed on the way. For a Send links
          // are chosen one after the other.
          const isSend = kind === FRAME_KIND.send;
          const came = before.size === 1 ? before.get(peer) : undefined;
          const most = isSend ? HOP_LIMIT : PUBLISH_HOPS_MAX;
          const isSource = came !== undefined && hopsOf(plaintext, start) === Math.min(came + 1, most);
          if (!isBlurred && !out.has(peer) && (isSource || (isSend && after.has(peer)))) {
            this.violated(`${self()} sent a ${isSend ? "Send" : "Publish"} back to ${peer}`);
          }
          out.add(peer);
        });
      },
    });
  }

  /** Its clock was stepped: what it refused as stale before may be new to it when it comes again, and the other way round. */
  clockStepped(id: NodeId): void {
    for (const passage of this.#passages.get(id)?.values() ?? []) passage.isBlurred = true;
  }

  /** Its process is gone: what it had seen is new to it when it comes again. */
  forgot(id: NodeId): void {
    this.#passages.delete(id);
    for (const passages of this.#passages.values()) {
      for (const { before, after } of passages.values()) {
        before.delete(id);
        after.delete(id);
      }
    }
  }

  /** Once all is quiet and every deadline has passed. */
  quiet(machines: readonly (SimRelay | SimNode)[]): void {
    for (const { id, core, isUp } of machines) {
      if (isUp && core.pendingCount > 0) this.violated(`${id} still carries ${core.pendingCount} envelopes`);
    }
  }

  violated(what: string): void {
    if (this.violations.length < 100) this.violations.push(what);
  }

  #step({ id, core }: SimRelay | SimNode, maxChannels: number): void {
    const neighbours = core.neighbours().length;
    if (neighbours > this.#maxNeighbours + BEYOND_MAX) this.violated(`${id} has ${neighbours} neighbours`);
    if (core.pendingCount > PENDING_MAX) this.violated(`${id} carries ${core.pendingCount} envelopes`);
    if (core.seenFilterBytes > SEEN_FILTER_MAX_BYTES) this.violated(`${id}: a filter of ${core.seenFilterBytes} B`);
    if ("channelPeers" in core) {
      const channels = core.channelPeers().length;
      if (channels > maxChannels) this.violated(`${id} has ${channels} channels`);
    }
  }

  #passage(self: NodeId, key: string): Passage {
    let passages = this.#passages.get(self);
    if (passages === undefined) {
      passages = new Map();
      this.#passages.set(self, passages);
    }
    let passage = passages.get(key);
    if (passage === undefined) {
      passage = { before: new Map(), after: new Set(), out: new Set(), isBlurred: false };
      passages.set(key, passage);
    }
    return passage;
  }
}

function contentKey(kind: number, bytes: Uint8Array, start: number, end: number): string | undefined {
  // With more hops than there can be it does not decode, and nobody has taken it in: a silent dropper's way of losing it.
  if (kind === FRAME_KIND.send && end - start >= SEND_MIN_BYTES && hopsOf(bytes, start) <= HOP_LIMIT)
    return bytesKey(bytes, start + SEND_LOCK);
  if (kind === FRAME_KIND.publish && end - start >= PUBLISH_MIN_BYTES)
    return bytesKey(bytes, start + PUBLISH_SIGNATURE);
  return undefined;
}

/** The first byte of the body of a Send and of a Publish. */
function hopsOf(bytes: Uint8Array, start: number): number {
  return bytes[start] as number;
}
