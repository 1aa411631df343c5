import type { NodeId } from "@starling/crypto-identity";
import type { Contact, Nodes } from "@starling/wire-protocol";
import { sortByDistance } from "../distance.ts";

// One iterative Lookup, PROTOCOL §7.7: asks the nodes closest to a target for closer ones, some at a time, until one says that the
// target is attached to it. The asker sees each failure, so it finds a way where forwarders only drop; it costs four times as much
// and shows who asks. All that is answered is hearsay: a liar may send us to strangers, so asks are counted.

/** Asks at once, where nothing else is said. */
const AT_ONCE = 3;
const ASKS_MAX = 24;
const KNOWN_MAX = 32;
/** A dial has its second Hello after 1 s. */
const ANSWER_MS = 1500;

type Asked = "not-yet" | "waiting" | "answered" | "silent";
type Entry = Contact & { asked: Asked; dueMono: number };

/** What a lookup wants done, and what it found. */
export type LookupStep = {
  /** Whom to ask next. */
  readonly asks: readonly Contact[];
  /** Who says that the target is attached to it. */
  readonly attached: NodeId | undefined;
  /** Nothing is left to ask. */
  readonly isOver: boolean;
};

/** Asks its way to a node that has a link to the target, closest first (docs/PROTOCOL.md §7.7). */
export class IterativeLookup {
  readonly target: NodeId;
  readonly #self: NodeId;
  // BOUNDED: KNOWN_MAX, the farthest gives way.
  #entries: Entry[] = [];
  readonly #atOnce: number;
  #askCount = 0;

  constructor(self: NodeId, target: NodeId, start: readonly Contact[], atOnce: number = AT_ONCE) {
    this.#self = self;
    this.target = target;
    this.#atOnce = atOnce;
    this.#learn(start);
  }

  /** The first asks, or the next after a silence. */
  advance(nowMono: number): LookupStep {
    for (const entry of this.#entries) {
      if (entry.asked === "waiting" && nowMono >= entry.dueMono) entry.asked = "silent";
    }
    return this.#next(undefined, nowMono);
  }

  /** What one of those asked says. */
  answered(peer: NodeId, nodes: Pick<Nodes, "attached" | "contacts">, nowMono: number): LookupStep {
    const entry = this.#entries.find(({ id }) => id === peer);
    if (entry === undefined || (entry.asked !== "waiting" && entry.asked !== "silent")) {
      return { asks: [], attached: undefined, isOver: false };
    }
    entry.asked = "answered";
    this.#learn(nodes.contacts);
    return this.#next(nodes.attached ? peer : undefined, nowMono);
  }

  /** Those who were asked and have not answered in time. */
  silent(): NodeId[] {
    return this.#entries.filter(({ asked }) => asked === "silent").map(({ id }) => id);
  }

  /** Monotonic time, ms, at which an ask counts as unanswered; null: none is open. */
  nextDeadline(): number | null {
    const due = this.#entries.filter(({ asked }) => asked === "waiting").map(({ dueMono }) => dueMono);
    return due.length === 0 ? null : Math.min(...due);
  }

  #next(attached: NodeId | undefined, nowMono: number): LookupStep {
    const asks: Contact[] = [];
    let waiting = this.#entries.filter(({ asked }) => asked === "waiting").length;
    for (const entry of this.#entries) {
      if (waiting >= this.#atOnce || this.#askCount >= ASKS_MAX) break;
      if (entry.asked !== "not-yet") continue;
      Object.assign(entry, { asked: "waiting", dueMono: nowMono + ANSWER_MS });
      this.#askCount += 1;
      waiting += 1;
      asks.push({ id: entry.id, address: entry.address });
    }
    return { asks, attached, isOver: waiting === 0 };
  }

  #learn(contacts: readonly Contact[]): void {
    for (const contact of contacts) {
      const { id } = contact;
      if (id === this.#self || id === this.target || this.#entries.some((entry) => entry.id === id)) continue;
      this.#entries.push({ ...contact, asked: "not-yet", dueMono: 0 });
    }
    this.#entries = sortByDistance(this.target, this.#entries).slice(0, KNOWN_MAX);
  }
}
