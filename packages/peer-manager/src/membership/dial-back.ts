import type { NodeId } from "@starling/crypto-identity";

// The two services behind DialBack, PROTOCOL §4: passing a wish on to a neighbour of another block, and dialling for one. Each costs
// strangers something, so each is rationed.

const PASS_EVERY_MS = 2000;
const DIAL_SAME_MS = 60_000;
const DIAL_FOR_ONE_MS = 5000;
// BOUNDED: what was noted longest ago makes room; the budget of hearsay still bounds what an address gets.
const NOTED_MAX = 1024;

export class DialBackService {
  readonly #passedMono = new Map<NodeId, number>();
  readonly #dialledMono = new Map<NodeId, number>();
  readonly #servedMono = new Map<NodeId, number>();
  readonly #usedMono = new Map<NodeId, number>();

  /** May this neighbour's wish be passed on now? */
  mayPass(asker: NodeId, nowMono: number): boolean {
    return claim(this.#passedMono, asker, PASS_EVERY_MS, nowMono);
  }

  /** May this neighbour be asked to dial for others now? It would refuse more. */
  mayUse(dialler: NodeId, nowMono: number): boolean {
    return nowMono >= (this.#usedMono.get(dialler) ?? 0) + DIAL_FOR_ONE_MS;
  }

  used(dialler: NodeId, nowMono: number): void {
    note(this.#usedMono, dialler, nowMono);
  }

  /** May this peer be dialled because that neighbour passed its wish on? Each wisher once a minute. */
  mayDial(wisher: NodeId, passer: NodeId, nowMono: number): boolean {
    if (nowMono < (this.#dialledMono.get(wisher) ?? Number.NEGATIVE_INFINITY) + DIAL_SAME_MS) return false;
    if (!claim(this.#servedMono, passer, DIAL_FOR_ONE_MS, nowMono)) return false;
    note(this.#dialledMono, wisher, nowMono);
    return true;
  }
}

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
