import { pick, type SeededRandom } from "../seeded-random.ts";
import type { Mesh } from "./mesh.ts";
import { type Delivered, FRAME_HEADER_BYTES, PUBLISH_BYTES, type Scheme } from "./scheme.ts";

// A mesh like gossipsub's: everything to D = 8 links of the mesh over a carrier that sends again, IDONTWANT to them at once, and each
// second an IHAVE of the last seconds' ids to 6 links outside of it.

const DEGREE = 8;
const IHAVE_LINKS = 6;
const HEARTBEAT_MS = 1000;
const HISTORY_MS = 3000;
/** Its message ids are longer than ours. */
const ID_BYTES = 32;

type Process = {
  readonly mesh: Set<number>;
  readonly had: Map<number, number>;
  readonly unwanted: Map<number, Set<number>>;
};

export class GossipMeshScheme implements Scheme {
  readonly #mesh: Mesh;
  readonly #random: SeededRandom;
  readonly #delivered: Delivered;
  readonly #nodes: Process[];

  constructor(mesh: Mesh, random: SeededRandom, delivered: Delivered) {
    this.#mesh = mesh;
    this.#random = random;
    this.#delivered = delivered;
    this.#nodes = mesh.points.map(() => ({ mesh: new Set(), had: new Map(), unwanted: new Map() }));
    for (const [node] of mesh.points.entries()) {
      this.#fill(node);
      mesh.queue.at(random.fraction() * HEARTBEAT_MS, () => this.#beat(node));
    }
    mesh.listener = { closed: (node, peer) => this.#at(node).mesh.delete(peer), started: (node) => this.#fill(node) };
  }

  publish(from: number, message: number): void {
    this.#at(from).had.set(message, this.#mesh.queue.nowMs);
    this.#spread(from, undefined, message);
  }

  #at(node: number): Process {
    return this.#nodes[node] as Process;
  }

  #fill(node: number): void {
    const own = this.#at(node).mesh;
    const open = [...this.#mesh.peers(node)].filter((peer) => !own.has(peer) && this.#at(peer).mesh.size < DEGREE + 4);
    while (own.size < DEGREE && open.length > 0) {
      const [peer] = open.splice(this.#random.integer(open.length), 1) as [number];
      own.add(peer);
      this.#at(peer).mesh.add(node);
    }
  }

  #spread(node: number, from: number | undefined, message: number): void {
    const { mesh, unwanted } = this.#at(node);
    for (const peer of mesh) {
      if (peer === from) continue;
      if (from !== undefined) {
        this.#mesh.datagram(node, peer, FRAME_HEADER_BYTES + ID_BYTES, () => this.#refuse(peer, node, message));
      }
      if (!unwanted.get(message)?.has(peer)) this.#push(node, peer, message);
    }
    unwanted.delete(message);
  }

  #refuse(node: number, by: number, message: number): void {
    const { unwanted, had } = this.#at(node);
    if (had.has(message)) return;
    const refusing = unwanted.get(message) ?? new Set();
    unwanted.set(message, refusing.add(by));
  }

  #push(node: number, peer: number, message: number): void {
    this.#mesh.reliable(node, peer, PUBLISH_BYTES, () => {
      if (this.#at(peer).had.has(message)) return;
      this.#at(peer).had.set(message, this.#mesh.queue.nowMs);
      this.#delivered(peer, message);
      this.#spread(peer, node, message);
    });
  }

  #beat(node: number): void {
    const { queue } = this.#mesh;
    queue.at(queue.nowMs + HEARTBEAT_MS, () => this.#beat(node));
    if (!this.#mesh.isUp[node]) return;
    this.#fill(node);
    const { had, mesh } = this.#at(node);
    const recent = [...had].filter(([, hadMs]) => hadMs > queue.nowMs - HISTORY_MS).map(([message]) => message);
    const outside = [...this.#mesh.peers(node)].filter((peer) => !mesh.has(peer));
    if (recent.length === 0) return;
    for (let i = 0; i < IHAVE_LINKS && outside.length > 0; i += 1) {
      const peer = pick(this.#random, outside);
      this.#mesh.datagram(node, peer, FRAME_HEADER_BYTES + ID_BYTES * recent.length, () => {
        for (const message of recent) {
          if (this.#at(peer).had.has(message)) continue;
          this.#mesh.datagram(peer, node, FRAME_HEADER_BYTES + ID_BYTES, () => this.#push(node, peer, message));
        }
      });
    }
  }
}
