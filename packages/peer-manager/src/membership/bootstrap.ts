import type { NodeId, RandomSource } from "@starling/crypto-identity";
import type { Contact } from "@starling/wire-protocol";
import type { Now } from "../now.ts";

// When the configured bootstrap nodes are dialled: at once, then with a jittered back-off that ends at 30 s, for ever
// (PROTOCOL §4). A node that cannot reach the network keeps trying; it never needs a restart.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

type Entry = { readonly contact: Contact; nextDialMono: number; waitMs: number; linked: boolean };

export class BootstrapDialler {
  readonly #random: RandomSource;
  // BOUNDED: one entry per configured bootstrap node.
  readonly #entries = new Map<NodeId, Entry>();

  constructor(contacts: readonly Contact[], random: RandomSource) {
    this.#random = random;
    for (const contact of contacts) {
      this.#entries.set(contact.id, { contact, nextDialMono: 0, waitMs: FIRST_WAIT_MS, linked: false });
    }
  }

  has(id: NodeId): boolean {
    return this.#entries.has(id);
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
    entry.nextDialMono = now.mono + entry.waitMs * (0.5 + this.#fraction());
    entry.waitMs = Math.min(entry.waitMs * 2, LONGEST_WAIT_MS);
  }

  /** The contacts to dial now. Each is due again only after `lost`. */
  due(now: Now): Contact[] {
    const due: Contact[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.linked || entry.nextDialMono > now.mono) continue;
      entry.nextDialMono = Number.POSITIVE_INFINITY;
      due.push(entry.contact);
    }
    return due;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) if (!entry.linked) next = Math.min(next, entry.nextDialMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #fraction(): number {
    const bytes = this.#random(2);
    return ((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)) / 65_536;
  }
}
