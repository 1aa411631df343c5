import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Address, Contact, DialBack } from "@starling/wire-protocol";
import type { HearsayBudget } from "./hearsay-budget.ts";
import { fraction } from "./jitter.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";
import { acceptsContact } from "./scope.ts";

// DialBack, PROTOCOL §6: asking for one, passing a neighbour's wish on to one of another block, and dialling for somebody. Each costs
// strangers something, so each is rationed; and one who had to do with a peer lately proves nothing about the way to it.

const PASS_EVERY_MS = 2000;
const DIAL_SAME_MS = 60_000;
const DIAL_FOR_ONE_MS = 5000;
/** Whom we have heard from so lately: the way between us may be open only because of that. */
const HEARD_MS = 300_000;
// BOUNDED: what was noted longest ago makes room; the budget of hearsay still bounds what an address gets.
const NOTED_MAX = 1024;

export type DialBackOptions = {
  readonly self: NodeId;
  readonly neighbours: Neighbours;
  readonly budget: HearsayBudget;
  readonly isDialling: (peer: NodeId) => boolean;
  readonly random: RandomSource;
};

export class DialBacks {
  readonly #options: DialBackOptions;
  /** When peers were dialled, or their links ended. */
  readonly #heardMono = new Map<NodeId, number>();
  readonly #passedMono = new Map<NodeId, number>();
  readonly #dialledMono = new Map<NodeId, number>();
  readonly #servedMono = new Map<NodeId, number>();
  readonly #usedMono = new Map<NodeId, number>();

  constructor(options: DialBackOptions) {
    this.#options = options;
  }

  /** A neighbour to ask to have us dialled, and what to ask. */
  ask(announced: Address | undefined, observed: Address | undefined): Send | undefined {
    const asked = this.#pick([...this.#options.neighbours.values()]);
    // Where the operator says that another port of this ip leads to us, it is that one to try.
    const port = announced !== undefined && announced.ip === observed?.ip ? announced.port : 0;
    return asked && { peer: asked.id, message: { type: "dial-back", what: "me", port } };
  }

  /** A neighbour wants to be dialled: somebody of another block is asked to, at the address that we see it at. */
  wanted(asker: Neighbour, port: number, nowMono: number): Send | Refusal {
    if (!claim(this.#passedMono, asker.id, PASS_EVERY_MS, nowMono)) return "dial-back-quota";
    const address = port === 0 ? asker.address : { ip: asker.address.ip, port };
    const dialler = this.#pick(
      [...this.#options.neighbours.values()].filter(
        ({ id, block, address: otherAddress }) =>
          id !== asker.id &&
          (asker.block === undefined || block !== asker.block) &&
          acceptsContact(address, otherAddress) &&
          nowMono >= (this.#usedMono.get(id) ?? Number.NEGATIVE_INFINITY) + DIAL_FOR_ONE_MS,
      ),
    );
    if (dialler === undefined) return "dial-back-nobody";
    note(this.#usedMono, dialler.id, nowMono);
    const contact = { id: asker.id, address };
    return { peer: dialler.id, message: { type: "dial-back", what: "peer", contact } };
  }

  /**
   * A neighbour passes somebody's wish on: true where that one is to be dialled, with one Hello. The neighbour may lie, so the
   * address is hearsay like any other; each wisher gets one a minute.
   */
  passedOn(passer: Neighbour, { id, address }: Contact, nowMono: number): true | Refusal {
    const { self, neighbours, budget, isDialling } = this.#options;
    if (!acceptsContact(address, passer.address)) return "contact-scope";
    if (id === self || neighbours.get(id) !== undefined || isDialling(id)) return "dial-back-known";
    if (this.heardLately(id, nowMono)) return "dial-back-known";
    const isSoon = nowMono < (this.#dialledMono.get(id) ?? Number.NEGATIVE_INFINITY) + DIAL_SAME_MS;
    if (isSoon || !budget.mayDial(address, nowMono)) return "dial-back-quota";
    if (!claim(this.#servedMono, passer.id, DIAL_FOR_ONE_MS, nowMono)) return "dial-back-quota";
    note(this.#dialledMono, id, nowMono);
    return true;
  }

  heard(peer: NodeId, nowMono: number): void {
    note(this.#heardMono, peer, nowMono);
  }

  heardLately(peer: NodeId, nowMono: number): boolean {
    return nowMono < (this.#heardMono.get(peer) ?? Number.NEGATIVE_INFINITY) + HEARD_MS;
  }

  #pick(neighbours: readonly Neighbour[]): Neighbour | undefined {
    return neighbours[Math.floor(fraction(this.#options.random) * neighbours.length)];
  }
}

type Send = { readonly peer: NodeId; readonly message: DialBack };
type Refusal = "dial-back-quota" | "dial-back-nobody" | "dial-back-known" | "contact-scope";

function claim(notes: Map<NodeId, number>, id: NodeId, everyMs: number, nowMono: number): boolean {
  if (nowMono < (notes.get(id) ?? Number.NEGATIVE_INFINITY) + everyMs) return false;
  note(notes, id, nowMono);
  return true;
}

function note(notes: Map<NodeId, number>, id: NodeId, nowMono: number): void {
  notes.delete(id);
  notes.set(id, nowMono);
  const oldest = notes.keys().next();
  if (notes.size > NOTED_MAX && !oldest.done) notes.delete(oldest.value);
}
