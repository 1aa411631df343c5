import {
  type Demand,
  LocalClientError,
  type LocalServer,
  type MessageEvent,
  type RequestEvent,
} from "@starling/local-client/server";
import type { InboxAge, InboxEntry } from "@starling/node-core";
import type { Now } from "@starling/node-core/driver";

// Between the core, which hands out everything as soon as any program listens, and programs that want one topic, read slowly, or
// acknowledge what they have dealt with: what nobody can take now stays here, and is still on disk as waiting. Order is kept within
// a topic, for messages and for requests each.
//
//   held ─ a program that does not acknowledge ─▶ out
//     ▲ └─ one that does ─▶ given ─ message.ack ─▶ out
//     └──── nobody is left to acknowledge it ──┘

/**
 * BOUNDED: at this many, held and given, the core is told that nobody listens, and holds what comes (up to its inbox limits)
 * itself. One step of the core can add all that it held, so twice its inbox is the most.
 */
const HOLD_MAX = 1000;

export type HandOutOptions = {
  readonly server: Pick<LocalServer, "acknowledges" | "demand" | "publish" | "hasSubscriber">;
  /** Note on disk that a program has it and has not acknowledged it. */
  readonly markGiven: (key: string) => void;
  /** Note on disk that it is done with, before it goes to a program that does not acknowledge. */
  readonly markOut: (key: string) => void;
  /** Tell the core whether to hand out. */
  readonly setListening: (on: boolean) => void;
  /** Which of those that wait have waited too long. */
  readonly age: Pick<InboxAge, "sweep">;
  /** Keys that an earlier life of this node has given to a program, which did not acknowledge them. */
  readonly given: ReadonlySet<string>;
};

export class HandOut {
  readonly #options: HandOutOptions;
  /** Entries that were given to a program before. BOUNDED: by those that wait. */
  readonly #redelivered: Set<string>;
  readonly #given = new Map<string, InboxEntry>();
  #held: InboxEntry[] = [];
  #listening = false;
  #isPumping = false;
  /** Messages that waited too long for a program. */
  droppedCount = 0;

  constructor(options: HandOutOptions) {
    this.#options = options;
    this.#redelivered = new Set(options.given);
  }

  /** Messages that no program has dealt with. */
  get heldCount(): number {
    return this.#held.length + this.#given.size;
  }

  /** The core hands out a message. */
  take(entry: InboxEntry): void {
    const isBehind = this.#held.some((held) => laneOf(held) === laneOf(entry));
    if (isBehind || this.#give(entry) !== "ready") this.#held.push(entry);
    this.#listen();
  }

  /** A program has dealt with a message. Throws `E_NO_MESSAGE`. */
  acknowledge(from: string, messageId: string): void {
    const key = `${from}:${messageId}`;
    if (!this.#given.delete(key)) {
      throw new LocalClientError("E_NO_MESSAGE", "no message with this id and author waits for its ack");
    }
    this.#done(key);
    this.#listen();
  }

  /** Subscriptions changed, or a program has read what it had. */
  onInterest(): void {
    // Giving a message may drop a subscriber, which is a change of interest itself.
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#takeBack();
    const blocked = new Set<string>();
    this.#held = this.#held.filter((entry) => {
      const lane = laneOf(entry);
      if (!blocked.has(lane) && this.#give(entry) === "ready") return false;
      blocked.add(lane);
      return true;
    });
    this.#isPumping = false;
    this.#listen();
  }

  /** Drops what has waited too long for somebody who wants its topic. */
  dropOld(now: Now): void {
    const dropped = new Set(this.#options.age.sweep(this.#held, now));
    if (dropped.size === 0) return;
    this.#held = this.#held.filter((entry) => !dropped.has(entry));
    for (const { key } of dropped) this.#done(key);
    this.droppedCount += dropped.size;
    this.#listen();
  }

  /** What nobody is left to acknowledge comes again, ahead of what came later. */
  #takeBack(): void {
    const back = [...this.#given.values()].filter((entry) => !this.#options.server.acknowledges(this.#eventOf(entry)));
    for (const { key } of back) this.#given.delete(key);
    this.#held = [...back, ...this.#held];
  }

  #give(entry: InboxEntry): Demand {
    const { server, markGiven } = this.#options;
    const event = this.#eventOf(entry);
    const demand = server.demand(event);
    if (demand !== "ready") return demand;
    if (entry.kind === "message" && server.acknowledges(event)) {
      markGiven(entry.key);
      this.#given.set(entry.key, entry);
      this.#redelivered.add(entry.key);
    } else {
      this.#done(entry.key);
    }
    server.publish(event);
    return demand;
  }

  #done(key: string): void {
    this.#redelivered.delete(key);
    this.#options.markOut(key);
  }

  #listen(): void {
    const on = this.heldCount < HOLD_MAX && this.#hasReader();
    if (on === this.#listening) return;
    this.#listening = on;
    this.#options.setListening(on);
  }

  #hasReader(): boolean {
    const { server } = this.#options;
    return server.hasSubscriber("message") || server.hasSubscriber("request");
  }

  #eventOf(entry: InboxEntry): MessageEvent | RequestEvent {
    const { kind, from, messageId, topic, content, path, receivedAtMs: receivedAt } = entry;
    if (kind === "request") return { type: "request", from, requestId: messageId, topic, content, path, receivedAt };
    const redelivered = this.#redelivered.has(entry.key);
    return { type: "message", from, messageId, topic, content, path, receivedAt, redelivered };
  }
}

function laneOf({ kind, topic }: InboxEntry): string {
  return `${kind} ${topic}`;
}
