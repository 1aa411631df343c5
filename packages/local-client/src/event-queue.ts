import type { LocalClientError } from "./errors.ts";

/** What a subscription gives: events in their order, until it is ended. Iterate it once. */
export type EventStream<Event> = AsyncIterable<Event> & AsyncIterator<Event, undefined>;

type Waiting<Event> = {
  readonly resolve: (result: IteratorResult<Event, undefined>) => void;
  readonly reject: (error: LocalClientError) => void;
};

/** Between the connection, which never waits, and a program that takes events at its own pace. */
export class EventQueue<Event> {
  // BOUNDED: by the limits given; over them `push` says so, and its owner ends the queue.
  readonly #events: { readonly event: Event; readonly sizeBytes: number }[] = [];
  // BOUNDED: by the program's own calls of next().
  readonly #waiting: Waiting<Event>[] = [];
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #sizeBytes = 0;
  #end: { readonly error: LocalClientError | undefined } | undefined;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** False where there is no room; the event is lost then. */
  push(event: Event, sizeBytes: number): boolean {
    if (this.#end !== undefined) return true;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: event });
      return true;
    }
    if (this.#events.length >= this.#maxEvents || this.#sizeBytes + sizeBytes > this.#maxBytes) return false;
    this.#events.push({ event, sizeBytes });
    this.#sizeBytes += sizeBytes;
    return true;
  }

  /** What is queued is still given out; then the iteration ends, or throws the error. Only the first end counts. */
  end(error?: LocalClientError): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting);
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    return new Promise((resolve, reject) => {
      const next = this.#events.shift();
      if (next !== undefined) {
        this.#sizeBytes -= next.sizeBytes;
        resolve({ done: false, value: next.event });
      } else if (this.#end !== undefined) {
        this.#finish({ resolve, reject });
      } else {
        this.#waiting.push({ resolve, reject });
      }
    });
  }

  #finish(waiting: Waiting<Event>): void {
    const error = this.#end?.error;
    // An error is thrown once; whoever asks again finds the end.
    this.#end = { error: undefined };
    if (error === undefined) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(error);
  }
}
