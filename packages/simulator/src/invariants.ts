import type { NodeId } from "@starling/crypto-identity";
import { FRAME_KIND } from "@starling/wire-protocol";
import { type CryptoTap, watchPlaintexts } from "./crypto-tap.ts";
import { bytesKey, eachFrame, PUBLISH_MIN_BYTES, PUBLISH_SIGNATURE, SEND_LOCK, SEND_MIN_BYTES } from "./frames.ts";
import type { SimNode, SimRelay } from "./machine.ts";
import type { World } from "./world.ts";

// What must hold after each step of each core, whatever the faults. That nothing is delivered twice is the ledger's to see.

/** PROTOCOL §5 and the BOUNDED comments of the tables. */
const PENDING_MAX = 16_384;
const WAITING_MAX = 1000;
const SEEN_FILTER_MAX_BYTES = 128 * 1024 * 1024;

type Passage = { readonly in: Set<NodeId>; readonly out: Set<NodeId> };

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
          if (key !== undefined) this.#passage(self(), key).in.add(peer);
        });
      },
      sealing: (peer, plaintext) => {
        eachFrame(plaintext, (kind, start, end) => {
          const key = contentKey(kind, plaintext, start, end);
          if (key === undefined) return;
          const passage = this.#passage(self(), key);
          // One that went there before it came from there crossed on the way; its sending again is no new fault.
          if (passage.in.has(peer) && !passage.out.has(peer)) {
            this.violated(`${self()} sent a ${kind === FRAME_KIND.send ? "Send" : "Publish"} back to ${peer}`);
          }
          passage.out.add(peer);
        });
      },
    });
  }

  /** This process is gone: what it knew it may be told again. */
  ended(id: NodeId): void {
    this.#passages.delete(id);
    for (const passages of this.#passages.values()) {
      for (const passage of passages.values()) passage.in.delete(id);
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
    // Configured bootstrap nodes are taken on top (PROTOCOL §4); no scenario configures more than 4.
    if (neighbours > this.#maxNeighbours + 4) this.violated(`${id} has ${neighbours} neighbours`);
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
      passage = { in: new Set(), out: new Set() };
      passages.set(key, passage);
    }
    return passage;
  }
}

function contentKey(kind: number, bytes: Uint8Array, start: number, end: number): string | undefined {
  if (kind === FRAME_KIND.send && end - start >= SEND_MIN_BYTES) return bytesKey(bytes, start + SEND_LOCK);
  if (kind === FRAME_KIND.publish && end - start >= PUBLISH_MIN_BYTES)
    return bytesKey(bytes, start + PUBLISH_SIGNATURE);
  return undefined;
}
