import {
  LocalClientError,
  type LocalServer,
  type MessageEvent,
  type RequestEvent,
} from "@starling/local-client/server";
import { type InboxAge, type InboxEntry, laneOf, TopicShare } from "@starling/node-core";
import type { Now } from "@starling/node-core/driver";
import type { Notes } from "./inbox-journal.ts";

// Between the core, which hands out everything as soon as any program listens, and programs that want one topic, read slowly, or
// acknowledge what they have dealt with: what nobody can take now stays here, and is still on disk as waiting. Order is kept within
// a topic, for messages and for requests each.
//
//   held ─ a program that does not acknowledge ─▶ out
//     ▲ └─ one that does ─▶ given ─ message.ack ─▶ out
//     └──── nobody is left to acknowledge it ──┘

/**
 * BOUNDED: at this many, held and given, the core is told that nobody listens, and holds what comes (up to its inbox limits)
 * itself; of one lane at as many as are free. One step of the core can add all that it held.
 */
const HOLD_MAX = 1000;
/**
 * So much goes to programs between two looks at whether they can take more, with one note. Even to a connection that subscribed to it
 * sixteen times it is less than what lies between congested and dropped.
 */
const GROUP_BYTES = 32_768;
const GROUP_MESSAGES = 64;

export type HandOutOptions = {
  readonly server: Pick<LocalServer, "acknowledges" | "demand" | "publish" | "hasSubscriber">;
  /**
   * Note on disk, in one write, what a program has and has not acknowledged (`given`), and what is done with (`out`): before it goes to
   * a program that does not acknowledge.
   */
  readonly note: (notes: Notes) => void;
  /** Tell the core whether to hand out. */
  readonly setListening: (on: boolean, except: readonly string[]) => void;
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
  /** Of what is held and given. */
  readonly #share = new TopicShare({ messages: HOLD_MAX, bytes: Number.POSITIVE_INFINITY });
  #listening = false;
  #except: readonly string[] = [];
  #isPumping = false;
  /** Interest changed since what is held was last looked through. */
  #isChanged = false;
  /** Messages that waited too long for a program. */
  droppedCount = 0;

  constructor(options: HandOutOptions) {
    this.#options = options;
    this.#redelivered = new Set(options.given);
  }

  /** Messages that no program has dealt with. */
  get heldCount(): number {
    return this.#share.messages;
  }

  /** The core hands out messages, in a tick of their own: never while others are being given. */
  take(entries: readonly InboxEntry[]): void {
    for (const entry of entries) this.#share.take(laneOf(entry), 0);
    this.#pump(() => {
      const rest = this.#give(entries, new Set(this.#held.map(laneOf)));
      this.#held.push(...rest);
    });
  }

  /** A program has dealt with a message. Throws `E_NO_MESSAGE`. */
  acknowledge(from: string, messageId: string): void {
    const key = `${from}:${messageId}`;
    const entry = this.#given.get(key);
    if (entry === undefined) {
      throw new LocalClientError("E_NO_MESSAGE", "no message with this id and author waits for its ack");
    }
    this.#given.delete(key);
    this.#share.release(laneOf(entry), 0);
    this.#done([key]);
    this.#listen();
  }

  /** Subscriptions changed, or a program has read what it had. */
  onInterest(): void {
    this.#isChanged = true;
    this.#pump(() => {});
  }

  /** Drops what has waited too long for somebody who wants its topic. */
  dropOld(now: Now): void {
    const dropped = new Set(this.#options.age.sweep(this.#held, now));
    if (dropped.size === 0) return;
    this.#held = this.#held.filter((entry) => !dropped.has(entry));
    for (const entry of dropped) this.#share.release(laneOf(entry), 0);
    this.#done([...dropped].map(({ key }) => key));
    this.droppedCount += dropped.size;
    this.#listen();
  }

  /** Gives what is new, then what is held as often as interest changes: giving a message may drop a subscriber, which is a change itself. */
  #pump(giveNew: () => void): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    giveNew();
    while (this.#isChanged) {
      this.#isChanged = false;
      this.#takeBack();
      this.#held = this.#give(this.#held, new Set());
    }
    this.#isPumping = false;
    this.#listen();
  }

  /** What nobody is left to acknowledge comes again, ahead of what came later. */
  #takeBack(): void {
    const back = [...this.#given.values()].filter((entry) => !this.#options.server.acknowledges(this.#eventOf(entry)));
    for (const { key } of back) this.#given.delete(key);
    this.#held = [...back, ...this.#held];
  }

  /** Gives what programs can take, in its order, and returns the rest: of a lane in `blocked` none is given. */
  #give(entries: readonly InboxEntry[], blocked: Set<string>): InboxEntry[] {
    const { server } = this.#options;
    const rest: InboxEntry[] = [];
    let group: Group = newGroup();
    for (const entry of entries) {
      const lane = laneOf(entry);
      const event = this.#eventOf(entry);
      if (blocked.has(lane) || server.demand(event) !== "ready") {
        blocked.add(lane);
        rest.push(entry);
        continue;
      }
      group.events.push(event);
      group.sizeBytes += entry.content.length;
      if (entry.kind === "message" && server.acknowledges(event)) {
        group.given.push(entry.key);
        this.#given.set(entry.key, entry);
        this.#redelivered.add(entry.key);
      } else {
        group.out.push(entry.key);
        this.#redelivered.delete(entry.key);
        this.#share.release(lane, 0);
      }
      if (group.sizeBytes < GROUP_BYTES && group.events.length < GROUP_MESSAGES) continue;
      this.#publish(group);
      group = newGroup();
    }
    this.#publish(group);
    return rest;
  }

  #publish({ events, given, out }: Group): void {
    if (events.length === 0) return;
    this.#options.note({ given, out });
    for (const event of events) this.#options.server.publish(event);
  }

  #done(keys: readonly string[]): void {
    for (const key of keys) this.#redelivered.delete(key);
    this.#options.note({ out: keys });
  }

  #listen(): void {
    const on = this.heldCount < HOLD_MAX && this.#hasReader();
    const except = on ? this.#share.full() : [];
    if (on === this.#listening && isEqual(except, this.#except)) return;
    this.#listening = on;
    this.#except = except;
    this.#options.setListening(on, except);
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

/** What goes to programs at once, and what is noted of it first. BOUNDED: GROUP_MESSAGES. */
type Group = {
  readonly events: (MessageEvent | RequestEvent)[];
  readonly given: string[];
  readonly out: string[];
  sizeBytes: number;
};

function newGroup(): Group {
  return { events: [], given: [], out: [], sizeBytes: 0 };
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((lane, i) => lane === b[i]);
}
