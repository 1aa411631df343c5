import type { NodeId, RandomSource } from "@starling/crypto-identity";
import { STREAM_BYTES } from "@starling/wire-protocol";

// Numbers a source's messages to one recipient and topic, so that the recipient can keep their order (PROTOCOL §7.3).

// BOUNDED: the stream used longest ago makes room; its next message begins a new one.
const STREAMS_MAX = 4096;
/** How far a message may be ahead of the lowest without an outcome: the recipient holds so many, and gives up order beyond. */
const AHEAD_MAX = 256;

type Stream = { readonly id: Uint8Array; nextSeq: number; readonly unsettled: Set<number> };

export type StreamPosition = {
  readonly stream: Uint8Array;
  readonly seq: number;
  /** Part of a stream whose order is kept. */
  readonly isOrdered: boolean;
  readonly settle: () => void;
  /** Whether it may go out yet. */
  readonly hasTurn: () => boolean;
};

export class Streams {
  readonly #random: RandomSource;
  readonly #streams = new Map<string, Stream>();

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** Takes the next number for a recipient and topic; `settle` frees it once its message has an outcome. */
  next(to: NodeId, topic: string): StreamPosition {
    const key = `${to}${topic}`;
    const stream = this.#streams.get(key) ?? {
      id: this.#random(STREAM_BYTES),
      nextSeq: 0,
      unsettled: new Set<number>(),
    };
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    const oldest = this.#streams.keys().next();
    if (this.#streams.size > STREAMS_MAX && !oldest.done) this.#streams.delete(oldest.value);
    const seq = stream.nextSeq;
    stream.nextSeq += 1;
    stream.unsettled.add(seq);
    return {
      stream: stream.id,
      seq,
      isOrdered: true,
      settle: () => stream.unsettled.delete(seq),
      hasTurn: () => seq < lowestOf(stream, seq) + AHEAD_MAX,
    };
  }

  /** The place of a message that is in no order with others. */
  single(): StreamPosition {
    return { stream: this.#random(STREAM_BYTES), seq: 0, isOrdered: false, settle: () => {}, hasTurn: () => true };
  }

  /** The lowest number of a stream whose message has no outcome yet. */
  lowestUnsettled(to: NodeId, topic: string, seq: number): number {
    const stream = this.#streams.get(`${to}${topic}`);
    return stream === undefined ? seq : lowestOf(stream, seq);
  }
}

function lowestOf({ unsettled }: Stream, seq: number): number {
  // In the order in which they were given out: the first is the lowest.
  const lowest = unsettled.values().next();
  return lowest.done ? seq : Math.min(seq, lowest.value);
}
