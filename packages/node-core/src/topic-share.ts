import type { InboxEntry } from "./output.ts";

// Programs share a node by topic. A topic that nobody reads must not take the room of the others: it may hold as much as is left
// free. So of n topics that nobody reads each comes to hold one part in n + 1, and as much is left for all others.

export type Room = { readonly messages: number; readonly bytes: number };

type Held = { messages: number; bytes: number };

/** Messages and requests of a topic are each kept in their order, and counted by themselves. */
export function laneOf({ kind, topic }: Pick<InboxEntry, "kind" | "topic">): string {
  return `${kind} ${topic}`;
}

/** What each lane holds of a room that all share. */
export class TopicShare {
  readonly #room: Room;
  // BOUNDED: lanes that hold something.
  readonly #lanes = new Map<string, Held>();
  readonly #all: Held = { messages: 0, bytes: 0 };

  constructor(room: Room) {
    this.#room = room;
  }

  /** Messages held, of all lanes. */
  get messages(): number {
    return this.#all.messages;
  }

  /** Whether a lane may hold one more of this size. */
  hasRoomFor(lane: string, sizeBytes: number): boolean {
    const { messages, bytes } = this.#lanes.get(lane) ?? { messages: 0, bytes: 0 };
    return (
      messages < this.#room.messages - this.#all.messages && bytes + sizeBytes <= this.#room.bytes - this.#all.bytes
    );
  }

  /** A lane holds one more. */
  take(lane: string, sizeBytes: number): void {
    const held = this.#lanes.get(lane);
    if (held === undefined) this.#lanes.set(lane, { messages: 1, bytes: sizeBytes });
    else add(held, 1, sizeBytes);
    add(this.#all, 1, sizeBytes);
  }

  /** A lane holds one less. */
  release(lane: string, sizeBytes: number): void {
    const held = this.#lanes.get(lane);
    if (held === undefined) return;
    add(held, -1, -sizeBytes);
    add(this.#all, -1, -sizeBytes);
    if (held.messages === 0) this.#lanes.delete(lane);
  }

  /** Lanes that may hold no more. */
  full(): string[] {
    return [...this.#lanes.keys()].filter((lane) => !this.hasRoomFor(lane, 0));
  }
}

function add(held: Held, messages: number, bytes: number): void {
  held.messages += messages;
  held.bytes += bytes;
}
