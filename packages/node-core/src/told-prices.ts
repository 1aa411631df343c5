import type { NodeId } from "@starling/crypto-identity";
import type { Pong } from "@starling/wire-protocol";
import { effortAt } from "./ingress.ts";

export type Prices = { readonly send: number; readonly publish: number };

/**
 * What neighbours ask for carrying on our links, as their last Pongs said, in multiples of the floor (PROTOCOL §7.8). Hearsay: a neighbour
 * may ask for anything. So what is made of it is such that one of several cannot make an author pay, and a cap bounds the rest.
 */
export class ToldPrices {
  // BOUNDED: open links; `closed` drops them.
  readonly #byPeer = new Map<NodeId, Prices>();
  readonly #floors: Prices;

  /** The floors of 512 bytes. */
  constructor(floors: Prices) {
    this.#floors = floors;
  }

  heard(peer: NodeId, { sendPrice, publishPrice }: Pick<Pong, "sendPrice" | "publishPrice">): void {
    const { send, publish } = this.#floors;
    this.#byPeer.set(peer, { send: Math.max(1, sendPrice / send), publish: Math.max(1, publishPrice / publish) });
  }

  closed(peer: NodeId): void {
    this.#byPeer.delete(peer);
  }

  /** A multiple of the floors as efforts for 512 bytes. */
  effortsAt(multiple: number): Prices {
    return { send: effortAt(multiple, this.#floors.send), publish: effortAt(multiple, this.#floors.publish) };
  }

  /** `median`, as efforts for 512 bytes. */
  medianEfforts(): Prices {
    const { send, publish } = this.median();
    return { send: effortAt(send, this.#floors.send), publish: effortAt(publish, this.#floors.publish) };
  }

  /** The least that one of these asks for a Send: a forwarder that is refused by one goes on to the next. */
  leastSend(peers: readonly NodeId[]): number {
    return peers.length === 0 ? 1 : Math.min(...peers.map((peer) => this.#byPeer.get(peer)?.send ?? 1));
  }

  /** What half of all neighbours take: a broadcast goes to all of them, and from one to the other. */
  median(): Prices {
    const all = [...this.#byPeer.values()];
    return { send: middle(all.map(({ send }) => send)), publish: middle(all.map(({ publish }) => publish)) };
  }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? 1;
}
