import type { Demand, LocalServer, MessageEvent, RequestEvent } from "@starling/local-client/server";
import type { InboxEntry } from "@starling/node-core";

// Between the core, which hands out everything as soon as any program listens, and programs that want one topic or read slowly: what
// nobody can take now stays here, and is still on disk as waiting. Order is kept within a topic, for messages and for requests each.

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
    const isBehind = this.#held.some(({ topic, kind }) => topic === entry.topic && kind === entry.kind);
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
      const lane = `${entry.kind} ${entry.topic}`;
      if (!blocked.has(lane) && this.#give(entry) === "ready") return false;
      blocked.add(lane);
      return true;
    });
    this.#isPumping = false;
    this.#listen();
  }

  #give(entry: InboxEntry): Demand {
    const event = eventOf(entry);
    const { server, markOut } = this.#options;
    const demand = server.demand(event);
    if (demand === "ready") {
      markOut(entry.key);
      server.publish(event);
    }
    return demand;
  }

  #listen(): void {
    const on = this.#held.length < HOLD_MAX && this.#hasReader();
    if (on === this.#listening) return;
    this.#listening = on;
    this.#options.setListening(on);
  }

  #hasReader(): boolean {
    const { server } = this.#options;
    return server.hasSubscriber("message") || server.hasSubscriber("request");
  }
}

function eventOf(entry: InboxEntry): MessageEvent | RequestEvent {
  const { kind, from, messageId, topic, content, path, receivedAtMs: receivedAt } = entry;
  if (kind === "request") return { type: "request", from, requestId: messageId, topic, content, path, receivedAt };
  return { type: "message", from, messageId, topic, content, path, receivedAt };
}
