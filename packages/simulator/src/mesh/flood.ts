import type { Mesh } from "./mesh.ts";
import { type Delivered, PUBLISH_BYTES, type Scheme } from "./scheme.ts";

/** Everything to everybody but where it came from, `copies` times, acknowledged by nobody. */
export class FloodScheme implements Scheme {
  readonly #mesh: Mesh;
  readonly #copies: number;
  readonly #delivered: Delivered;
  readonly #had: Set<number>[];

  constructor(mesh: Mesh, copies: number, delivered: Delivered) {
    this.#mesh = mesh;
    this.#copies = copies;
    this.#delivered = delivered;
    this.#had = mesh.points.map(() => new Set());
    mesh.listener = { closed: () => {}, started: (node) => this.#had[node]?.clear() };
  }

  publish(from: number, message: number): void {
    this.#had[from]?.add(message);
    this.#spread(from, undefined, message);
  }

  #spread(node: number, from: number | undefined, message: number): void {
    for (const peer of this.#mesh.peers(node)) {
      if (peer === from) continue;
      for (let copy = 0; copy < this.#copies; copy += 1) {
        this.#mesh.transmissions += 1;
        this.#mesh.datagram(node, peer, PUBLISH_BYTES, () => {
          if (this.#had[peer]?.has(message)) return;
          this.#had[peer]?.add(message);
          this.#delivered(peer, message);
          this.#spread(peer, node, message);
        });
      }
    }
  }
}
