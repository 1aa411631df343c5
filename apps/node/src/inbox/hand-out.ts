import type { Demand, LocalServer, MessageEvent } from "@starling/local-client/server";
import type { InboxEntry } from "@starling/node-core";

// Between the core, which hands out everything as soon as any program listens, and programs that want one topic or read slowly: what
// nobody can take now stays here, and is still on disk as waiting. Order is kept within a topic.

/**
 * BOUNDED: at this many the core is told that nobody listens, and holds what comes (up to its inbox limits) itself. One step of
 * the core can add all that it held, so twice its inbox is the most.
 */
const HOLD_MAX = 1000;

export type HandOutOptions = {
  readonly server: Pick<LocalServer, "demand" | "publish" | "hasSubscriber">;
  /** Note it on disk, before it goes to a program. */
  readonly markOut: (key: string) => void;
  /** Tell the core whether to hand out. */
  readonly setListening: (on: boolean) => void;
};

export class HandOut {
  readonly #options: HandOutOptions;
  #held: InboxEntry[] = [];
  #listening = false;
  #isPumping = false;

  constructor(options: HandOutOptions) {
    this.#options = options;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** The core hands out a message. */
  take(entry: InboxEntry): void {
    const isBehind = this.#held.some(({ topic }) => topic === entry.topic);
    if (isBehind || this.#give(entry) !== "ready") this.#held.push(entry);
    this.#listen();
  }

  /** Subscriptions changed, or a program has read what it had. */
  onInterest(): void {
    // Giving a message may drop a subscriber, which is a change of interest itself.
    if (this.#isPumping) return;
    this.#isPumping = true;
    const blocked = new Set<string>();
    this.#held = this.#held.filter((entry) => {
      if (!blocked.has(entry.topic) && this.#give(entry) === "ready") return false;
      blocked.add(entry.topic);
      return true;
    });
    this.#isPumping = false;
    this.#listen();
  }

  #give(entry: InboxEntry): Demand {
    const event = messageEvent(entry);
    const { server, markOut } = this.#options;
    const demand = server.demand(event);
    if (demand === "ready") {
      markOut(entry.key);
      server.publish(event);
    }
    return demand;
  }

  #listen(): void {
    const on = this.#held.length < HOLD_MAX && this.#options.server.hasSubscriber("message");
    if (on === this.#listening) return;
    this.#listening = on;
    this.#options.setListening(on);
  }
}

/** A request comes as a message: nobody can answer it here yet, and its author is told so by the time that runs out. */
function messageEvent({ from, messageId, topic, content, path, receivedAtMs }: InboxEntry): MessageEvent {
  return { type: "message", from, messageId, topic, content, path, receivedAt: receivedAtMs };
}
