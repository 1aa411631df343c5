import type { NodeId } from "@starling/crypto-identity";

// Publications that neighbours say they have and that have not come over the tree. Each is asked for after a while, from one
// announcer after the other.

/** Longer than the tree lags behind the first Have, or repairs outrun the tree. */
const FIRST_ASK_MS = 350;
const NEXT_ASK_MS = 300;
// BOUNDED: what a neighbour announces beyond these is not noted; the digest of another time or another neighbour repairs it.
const ENTRIES_MAX = 4096;
const ANNOUNCERS_MAX = 8;

type Missing = { readonly announcers: NodeId[]; asked: number; nextAskMono: number };

export type Question = { readonly peer: NodeId; readonly shortId: string };

export class MissingTable {
  readonly #entries = new Map<string, Missing>();

  /** False where the bound refuses it. */
  announced(shortId: string, by: NodeId, nowMono: number): boolean {
    const entry = this.#entries.get(shortId);
    if (entry === undefined) {
      if (this.#entries.size >= ENTRIES_MAX) return false;
      this.#entries.set(shortId, { announcers: [by], asked: 0, nextAskMono: nowMono + FIRST_ASK_MS });
      return true;
    }
    if (!entry.announcers.includes(by) && entry.announcers.length < ANNOUNCERS_MAX) entry.announcers.push(by);
    return true;
  }

  /** It has come; those who announced it are returned. */
  arrived(shortId: string): readonly NodeId[] {
    const announcers = this.#entries.get(shortId)?.announcers ?? [];
    this.#entries.delete(shortId);
    return announcers;
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
        this.#entries.delete(shortId);
        continue;
      }
      entry.asked += 1;
      entry.nextAskMono = nowMono + NEXT_ASK_MS;
      questions.push({ peer, shortId });
    }
    return questions;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { nextAskMono } of this.#entries.values()) next = Math.min(next, nextAskMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }
}
