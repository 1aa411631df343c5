import type { NodeId } from "@starling/crypto-identity";

// Publications that neighbours say they have and that have not come over the tree. Each is asked for after a while, from one
// announcer after the other.

// BOUNDED: what a neighbour announces beyond these is not noted; another time or another neighbour repairs it. One neighbour
// cannot take the room of the others.
const ENTRIES_MAX = 4096;
const ENTRIES_MAX_BY_ONE = 512;
const ANNOUNCERS_MAX = 8;

type Missing = { readonly announcers: NodeId[]; asked: number; nextAskMono: number };

export type Question = { readonly peer: NodeId; readonly shortId: string };

export class MissingTable {
  readonly #entries = new Map<string, Missing>();
  /** Entries by who announced them first. BOUNDED: announcers of entries. */
  readonly #firstBy = new Map<NodeId, number>();
  readonly #firstAskMs: number;
  readonly #nextAskMs: number;

  constructor({ firstAskMs, nextAskMs }: { readonly firstAskMs: number; readonly nextAskMs: number }) {
    this.#firstAskMs = firstAskMs;
    this.#nextAskMs = nextAskMs;
  }

  /** False where the bound refuses it. */
  announced(shortId: string, by: NodeId, nowMono: number): boolean {
    const entry = this.#entries.get(shortId);
    if (entry === undefined) {
      const count = this.#firstBy.get(by) ?? 0;
      if (this.#entries.size >= ENTRIES_MAX || count >= ENTRIES_MAX_BY_ONE) return false;
      this.#firstBy.set(by, count + 1);
      this.#entries.set(shortId, { announcers: [by], asked: 0, nextAskMono: nowMono + this.#firstAskMs });
      return true;
    }
    if (!entry.announcers.includes(by) && entry.announcers.length < ANNOUNCERS_MAX) entry.announcers.push(by);
    return true;
  }

  /** It has come: who announced it, and how many of them were asked for it. */
  arrived(shortId: string): { readonly announcers: readonly NodeId[]; readonly asked: number } {
    const { announcers = [], asked = 0 } = this.#entries.get(shortId) ?? {};
    this.#delete(shortId);
    return { announcers, asked };
  }

  /** Whom to ask for what now. An entry all of whose announcers were asked is given up. */
  due(nowMono: number, isNeighbour: (id: NodeId) => boolean): Question[] {
    const questions: Question[] = [];
    for (const [shortId, entry] of this.#entries) {
      if (entry.nextAskMono > nowMono) continue;
      let peer = entry.announcers[entry.asked];
      while (peer !== undefined && !isNeighbour(peer)) {
        entry.asked += 1;
        peer = entry.announcers[entry.asked];
      }
      if (peer === undefined) {
        this.#delete(shortId);
        continue;
      }
      entry.asked += 1;
      entry.nextAskMono = nowMono + this.#nextAskMs;
      questions.push({ peer, shortId });
    }
    return questions;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { nextAskMono } of this.#entries.values()) next = Math.min(next, nextAskMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #delete(shortId: string): void {
    const [first] = this.#entries.get(shortId)?.announcers ?? [];
    this.#entries.delete(shortId);
    if (first === undefined) return;
    const count = (this.#firstBy.get(first) ?? 1) - 1;
    if (count > 0) this.#firstBy.set(first, count);
    else this.#firstBy.delete(first);
  }
}
