import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Contact } from "@starling/wire-protocol";
import type { Now } from "../now.ts";
import { jittered } from "./jitter.ts";

// When the configured bootstrap nodes and the saved peers are dialled: at once, then with a jittered back-off that ends at 30 s, for
// ever (PROTOCOL §6). A node that cannot reach the network keeps trying; it never needs a restart. A link that one of us gave up
// because it was not needed is asked for again after minutes, so that networks which were apart find each other.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const RELEASED_WAIT_MS = 600_000;
const FULL_WAIT_MS = 30_000;

type Entry = {
  readonly contact: Contact;
  readonly isConfigured: boolean;
  nextDialMono: number;
  waitMs: number;
  linked: boolean;
};

export class BootstrapDialler {
  readonly #random: RandomSource;
  // BOUNDED: one entry per configured bootstrap node and saved peer.
  readonly #entries = new Map<NodeId, Entry>();
  #isSavedNeeded = false;

  constructor(configured: readonly Contact[], saved: readonly Contact[], random: RandomSource) {
    this.#random = random;
    const idle = { nextDialMono: 0, waitMs: FIRST_WAIT_MS, linked: false };
    for (const contact of saved) this.#entries.set(contact.id, { contact, isConfigured: false, ...idle });
    for (const contact of configured) this.#entries.set(contact.id, { contact, isConfigured: true, ...idle });
  }

  /** Is this a configured bootstrap node? */
  has(id: NodeId): boolean {
    return this.#entries.get(id)?.isConfigured === true;
  }

  opened(id: NodeId): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) Object.assign(entry, { linked: true, waitMs: FIRST_WAIT_MS });
  }

  /** The link went down, or the dial was not answered: try again after the back-off. */
  lost(id: NodeId, now: Now): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.linked = false;
    entry.nextDialMono = now.mono + jittered(entry.waitMs, this.#random);
    entry.waitMs = Math.min(entry.waitMs * 2, LONGEST_WAIT_MS);
  }

  /** The link was given up by one of us, who is `full` or has others. */
  released(id: NodeId, isFull: boolean, now: Now): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.linked = false;
    entry.nextDialMono = now.mono + jittered(isFull ? FULL_WAIT_MS : RELEASED_WAIT_MS, this.#random);
  }

  /** The contacts to dial now. Each is due again only after `lost`. Saved peers are for who has no reachable neighbour: `isAlone`. */
  due(isAlone: boolean, now: Now): Contact[] {
    this.#isSavedNeeded = isAlone;
    const due: Contact[] = [];
    for (const entry of this.#entries.values()) {
      if (!this.#isWaiting(entry) || entry.nextDialMono > now.mono) continue;
      entry.nextDialMono = Number.POSITIVE_INFINITY;
      due.push(entry.contact);
    }
    return due;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) if (this.#isWaiting(entry)) next = Math.min(next, entry.nextDialMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #isWaiting({ linked, isConfigured }: Entry): boolean {
    return !linked && (isConfigured || this.#isSavedNeeded);
  }
}
