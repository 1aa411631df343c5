import type { Mesh } from "./mesh.ts";
import { type Delivered, FRAME_HEADER_BYTES, PUBLISH_BYTES, type Scheme, SHORT_ID_BYTES } from "./scheme.ts";

// Classic Plumtree over links that acknowledge and send again: eager push, lazy IHAVE to all other links, Graft with the request for
// what is missing, Prune at each repeat.

const FIRST_ASK_MS = 1000;
const NEXT_ASK_MS = 300;
const ID_BYTES = FRAME_HEADER_BYTES + 1 + SHORT_ID_BYTES;

type Process = { readonly lazy: Set<number>; readonly had: Set<number>; readonly announcers: Map<number, number[]> };

export class PlumtreeScheme implements Scheme {
  readonly #mesh: Mesh;
  readonly #delivered: Delivered;
  readonly #nodes: Process[];

  constructor(mesh: Mesh, delivered: Delivered) {
    this.#mesh = mesh;
    this.#delivered = delivered;
    const process = (): Process => ({ lazy: new Set(), had: new Set(), announcers: new Map() });
    this.#nodes = mesh.points.map(process);
    mesh.listener = {
      closed: (node, peer) => this.#nodes[node]?.lazy.delete(peer),
      started: (node) => {
        this.#nodes[node] = process();
      },
    };
  }

  publish(from: number, message: number): void {
    this.#at(from).had.add(message);
    this.#spread(from, undefined, message);
  }

  #at(node: number): Process {
    return this.#nodes[node] as Process;
  }

  #spread(node: number, from: number | undefined, message: number): void {
    const { lazy } = this.#at(node);
    for (const peer of this.#mesh.peers(node)) {
      if (peer === from) continue;
      if (lazy.has(peer)) this.#mesh.datagram(node, peer, ID_BYTES, () => this.#onHave(peer, node, message));
      else this.#push(node, peer, message);
    }
  }

  #push(node: number, peer: number, message: number): void {
    this.#mesh.reliable(node, peer, PUBLISH_BYTES, () => this.#onPublish(peer, node, message));
  }

  #onPublish(node: number, from: number, message: number): void {
    const { lazy, had } = this.#at(node);
    if (had.has(message)) {
      lazy.add(from);
      this.#mesh.datagram(node, from, FRAME_HEADER_BYTES, () => this.#at(from).lazy.add(node));
      return;
    }
    had.add(message);
    this.#at(node).announcers.delete(message);
    lazy.delete(from);
    this.#delivered(node, message);
    this.#spread(node, from, message);
  }

  #onHave(node: number, from: number, message: number): void {
    const { had, announcers } = this.#at(node);
    if (had.has(message)) return;
    const known = announcers.get(message);
    if (known !== undefined) {
      known.push(from);
      return;
    }
    announcers.set(message, [from]);
    this.#askLater(node, message, FIRST_ASK_MS);
  }

  #askLater(node: number, message: number, afterMs: number): void {
    const process = this.#at(node);
    this.#mesh.queue.at(this.#mesh.queue.nowMs + afterMs, () => {
      if (this.#nodes[node] !== process || process.had.has(message) || !this.#mesh.isUp[node]) return;
      const peer = process.announcers.get(message)?.shift();
      if (peer === undefined) {
        process.announcers.delete(message);
        return;
      }
      process.lazy.delete(peer);
      this.#mesh.datagram(node, peer, ID_BYTES, () => {
        this.#at(peer).lazy.delete(node);
        if (this.#at(peer).had.has(message)) this.#push(peer, node, message);
      });
      this.#askLater(node, message, NEXT_ASK_MS);
    });
  }
}
