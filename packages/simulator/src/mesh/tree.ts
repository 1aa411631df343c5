import type { NodeId } from "@starling/crypto-identity";
import { type BroadcastOutput, type BroadcastRules, BroadcastTree, type Upkeep } from "@starling/peer-manager";
import type { Publication, Publish } from "@starling/wire-protocol";
import type { LinkListener, Mesh } from "./mesh.ts";
import { type Delivered, FRAME_HEADER_BYTES, PUBLISH_BYTES, type Scheme, SHORT_ID_BYTES } from "./scheme.ts";

// The shipped BroadcastTree at every node of a mesh.

const DIGEST_BYTES = 22;

type Process = { readonly tree: BroadcastTree; readonly had: Set<number>; wakeMs: number };

const idOf = (message: number): string => {
  // An id is a digest: its bits are random.
  let id = "";
  for (let word = 0; word < 4; word += 1) {
    let mixed = Math.imul(message + 1, 0x9e3779b1) ^ Math.imul(word + 1, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    id += ((mixed ^ (mixed >>> 15)) >>> 0).toString(16).padStart(8, "0");
  }
  return id;
};

export class TreeScheme implements Scheme, LinkListener {
  /** Nodes that acknowledge, say Have, and neither forward nor answer a Want. */
  readonly silent: Set<number> = new Set();
  readonly #mesh: Mesh;
  readonly #rules: BroadcastRules & { readonly triesMax: number };
  readonly #delivered: Delivered;
  readonly #nodes: Process[];
  readonly #publications: Publication[] = [];
  readonly #messages = new Map<Publication, number>();

  constructor(mesh: Mesh, rules: BroadcastRules & { readonly triesMax: number }, delivered: Delivered) {
    this.#mesh = mesh;
    this.#rules = rules;
    this.#delivered = delivered;
    this.#nodes = mesh.points.map((_, node) => this.#process(node));
    mesh.listener = this;
    for (const [node] of mesh.points.entries()) for (const peer of mesh.peers(node)) this.opened(node, peer);
  }

  publish(from: number, message: number): void {
    const encoded = new Uint8Array(0);
    const [nonce, content, origin] = [encoded, encoded, String(from) as NodeId];
    const publication = {
      origin,
      timestampMs: Math.floor(this.#mesh.queue.nowMs),
      effort: 0,
      nonce,
      topic: "",
      content,
      encoded,
    };
    this.#publications[message] = publication;
    this.#messages.set(publication, message);
    const { tree, had } = this.#at(from);
    had.add(message);
    this.#perform(from, tree.publish(publication, idOf(message), false, this.#mesh.queue.nowMs));
  }

  closed(node: number, peer: number): void {
    this.#perform(node, this.#at(node).tree.closed(String(peer) as NodeId));
  }

  opened(node: number, peer: number): void {
    this.#perform(node, this.#at(node).tree.opened(String(peer) as NodeId, this.#mesh.queue.nowMs));
  }

  started(node: number): void {
    this.#nodes[node] = this.#process(node);
  }

  #process(node: number): Process {
    const mesh = this.#mesh;
    // The core asks anew at each step; the names are made once a change of links.
    let [links, names]: [readonly number[], NodeId[]] = [[], []];
    const neighbours = () => {
      const peers = mesh.peers(node);
      if (peers.size !== links.length || links.some((peer) => !peers.has(peer))) {
        links = [...peers];
        names = links.map((peer) => String(peer) as NodeId);
      }
      return names;
    };
    return {
      tree: new BroadcastTree(neighbours, nowOf(mesh), this.#rules),
      had: new Set(),
      wakeMs: Number.POSITIVE_INFINITY,
    };
  }

  #at(node: number): Process {
    return this.#nodes[node] as Process;
  }

  #perform(node: number, outputs: readonly BroadcastOutput[]): void {
    const mesh = this.#mesh;
    for (const output of outputs) {
      if (output.type === "dropped") continue;
      const peer = Number(output.peer);
      if (output.type === "suspect") {
        mesh.suspect(node, peer);
      } else if (output.type === "publish") {
        if (this.silent.has(node)) continue;
        const { message, shortId } = output;
        const { triesMax } = this.#rules;
        const handedBack = () => this.#perform(node, this.#at(node).tree.handedBack(output.peer, shortId));
        mesh.reliable(node, peer, PUBLISH_BYTES, () => this.#onPublish(peer, node, message), { triesMax, handedBack });
      } else {
        const { message } = output;
        mesh.datagram(node, peer, FRAME_HEADER_BYTES + bodyBytes(message), () => {
          this.#perform(peer, this.#at(peer).tree.upkeep(String(node) as NodeId, message, mesh.queue.nowMs));
        });
      }
    }
    this.#arm(node);
  }

  #onPublish(node: number, from: number, publish: Publish): void {
    const { tree, had } = this.#at(node);
    const message = this.#messages.get(publish.publication) as number;
    const { nowMs } = this.#mesh.queue;
    const peer = String(from) as NodeId;
    if (had.has(message)) {
      this.#perform(node, tree.repeated(peer, publish, idOf(message)));
      return;
    }
    had.add(message);
    this.#delivered(node, message);
    this.#perform(node, tree.received(peer, publish, idOf(message), nowMs));
  }

  #arm(node: number): void {
    const process = this.#at(node);
    const dueMs = process.tree.nextDeadline();
    if (dueMs === null || dueMs >= process.wakeMs) return;
    process.wakeMs = dueMs;
    this.#mesh.queue.at(dueMs, () => {
      if (this.#nodes[node] !== process || !this.#mesh.isUp[node] || process.wakeMs !== dueMs) return;
      process.wakeMs = Number.POSITIVE_INFINITY;
      this.#perform(node, process.tree.tick(nowOf(this.#mesh)));
    });
  }
}

function nowOf({ queue }: Mesh): { readonly mono: number; readonly wall: number } {
  return { mono: queue.nowMs, wall: queue.nowMs };
}

function bodyBytes(message: Upkeep): number {
  if ("shortIds" in message) return 1 + SHORT_ID_BYTES * message.shortIds.length;
  return message.type === "digest" ? DIGEST_BYTES : 0;
}
