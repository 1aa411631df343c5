import type { Now } from "@starling/peer-manager";
import type { InboxEntry } from "./output.ts";

// Puts messages of one stream into the order in which their source numbered them, PROTOCOL §7.3. They are acknowledged when
// written, and handed out in order: one whose predecessor is missing waits until it comes, until a later message says that the
// source has given it up, or until the waiting one expires.

// BOUNDED: streams, and messages held in each; what is over is handed out as it is.
const STREAMS_MAX = 4096;
const HELD_MAX = 256;

type Held = { readonly entry: InboxEntry; readonly untilMono: number };
type Stream = { next: number; readonly held: Map<number, Held> };

export class Sequencer {
  readonly #streams = new Map<string, Stream>();

  /** Takes a written message and returns those that are now to be handed out, in their order. */
  offer(entry: InboxEntry, now: Now): InboxEntry[] {
    const key = `${entry.from}:${entry.stream}`;
    const stream: Stream = this.#streams.get(key) ?? { next: entry.lowestUnsettledSeq, held: new Map() };
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    // Its gap was passed before it came: late is better than never.
    if (entry.seq < stream.next) return [entry, ...this.#evict()];
    stream.held.set(entry.seq, { entry, untilMono: now.mono + Math.max(0, entry.expiresMs - now.wall) });
    const released = release(stream, Math.max(stream.next, Math.min(entry.lowestUnsettledSeq, entry.seq)));
    while (stream.held.size > HELD_MAX) released.push(...release(stream, Math.min(...stream.held.keys())));
    return [...released, ...this.#evict()];
  }

  /** What has expired waiting is handed out, its gap passed. */
  expire(nowMono: number): InboxEntry[] {
    const released: InboxEntry[] = [];
    for (const stream of this.#streams.values()) {
      const expired = [...stream.held].filter(([, { untilMono }]) => untilMono <= nowMono).map(([seq]) => seq);
      if (expired.length > 0) released.push(...release(stream, Math.max(...expired)));
    }
    return released;
  }

  nextDeadline(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { held } of this.#streams.values())
      for (const { untilMono } of held.values()) next = Math.min(next, untilMono);
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  #evict(): InboxEntry[] {
    const oldest = this.#streams.entries().next();
    if (this.#streams.size <= STREAMS_MAX || oldest.done) return [];
    const [key, { held }] = oldest.value;
    this.#streams.delete(key);
    return inOrder(held.values());
  }
}

/** Passes every gap below `upTo`, then takes what follows without one. */
function release(stream: Stream, upTo: number): InboxEntry[] {
  const released = inOrder([...stream.held.values()].filter(({ entry }) => entry.seq < upTo));
  for (const { seq } of released) stream.held.delete(seq);
  stream.next = upTo;
  for (let held = stream.held.get(stream.next); held !== undefined; held = stream.held.get(stream.next)) {
    stream.held.delete(stream.next);
    released.push(held.entry);
    stream.next += 1;
  }
  return released;
}

function inOrder(held: Iterable<Held>): InboxEntry[] {
  return [...held].map(({ entry }) => entry).sort((a, b) => a.seq - b.seq);
}
