import type { Address } from "@starling/wire-protocol";
import { DATA, DATAGRAM_MAX_BYTES, HELLO } from "@starling/wire-protocol";
import type { Place } from "../network.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { World } from "../world.ts";

const REMEMBERED = 500;

/** A stranger that sends noise to one address: random bytes, what looks like a Hello or Data, and copies of what it has overheard. */
export class Flooder {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #place: Place;
  readonly #overheard: Uint8Array[] = [];

  constructor(world: World, random: SeededRandom) {
    this.#world = world;
    this.#random = random;
    this.#place = world.place();
    world.network.watch = ({ from, datagram }) => {
      if (from === this.#place) return;
      if (this.#overheard.length < REMEMBERED) this.#overheard.push(datagram.slice());
      else this.#overheard[random.integer(REMEMBERED)] = datagram.slice();
    };
  }

  flood(target: Address, { perSecond, untilMs }: { readonly perSecond: number; readonly untilMs: number }): void {
    const { queue, network } = this.#world;
    const next = () => {
      network.send(this.#place, target, this.#noise());
      if (queue.nowMs + 1000 / perSecond < untilMs) queue.at(queue.nowMs + 1000 / perSecond, next);
    };
    queue.at(queue.nowMs, next);
  }

  #noise(): Uint8Array {
    const random = this.#random;
    const overheard = this.#overheard[random.integer(REMEMBERED)];
    const dice = random.fraction();
    if (dice < 0.4 && overheard !== undefined) return overheard;
    const bytes = random.bytes(1 + random.integer(DATAGRAM_MAX_BYTES));
    if (dice < 0.6) bytes[0] = DATA;
    if (dice < 0.8) return bytes;
    const hello = random.bytes(DATAGRAM_MAX_BYTES);
    hello[0] = HELLO;
    return hello;
  }
}
