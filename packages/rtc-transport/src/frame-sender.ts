// The way out of one channel: a queue of frames, and a window of those that the link holds.
import { SendQueue } from "./send-queue.ts";

/** werift wakes every pending send at every flush, so it is given few and large ones. */
const WINDOW_BYTES = 65_536;
const WINDOW_FRAMES = 8;

export class FrameSender {
  readonly #transmit: (frame: Uint8Array) => Promise<void>;
  readonly #queue: SendQueue = new SendQueue();
  // BOUNDED: by whoever asks; each is called once.
  #waiting: ((hasRoom: boolean) => void)[] = [];
  #onIdle: (() => void) | undefined;
  #inFlightBytes = 0;
  #inFlightFrames = 0;
  #flushing: NodeJS.Immediate | undefined;
  #isClosed = false;
  /** Of frames handed on. */
  sentBytes = 0;

  /** `transmit` resolves when the frame has gone to the network. */
  constructor(transmit: (frame: Uint8Array) => Promise<void>) {
    this.#transmit = transmit;
  }

  /** Copies the message. "sent" goes out in this turn of the event loop, "queued" when the window opens. */
  send(message: Uint8Array, isUrgent: boolean): "sent" | "queued" | "full" {
    const isNext = this.#queue.isEmpty && this.#hasWindow;
    if (!this.#queue.push(message, isUrgent)) return "full";
    // At the end of this turn, so that what is sent in one turn shares a frame.
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#flush();
    });
    return isNext ? "sent" : "queued";
  }

  /** Resolves with true when half of the queue is free, with false when it is closed before. */
  room(): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    if (this.#queue.isDrained) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when nothing waits and the link holds nothing, or when it is closed. */
  idle(): Promise<void> {
    if (this.#isClosed || this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#flushing);
    this.#queue.clear();
    this.#tellRoom(false);
    this.#onIdle?.();
  }

  get #isIdle(): boolean {
    return this.#queue.isEmpty && this.#inFlightFrames === 0;
  }

  get #hasWindow(): boolean {
    return this.#inFlightBytes < WINDOW_BYTES && this.#inFlightFrames < WINDOW_FRAMES;
  }

  #flush(): void {
    while (!this.#isClosed && this.#hasWindow) {
      const frame = this.#queue.shift();
      if (frame === undefined) break;
      this.#dispatch(frame);
    }
    if (this.#queue.isDrained) this.#tellRoom(true);
    if (this.#isIdle) this.#onIdle?.();
  }

  #tellRoom(hasRoom: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(hasRoom);
  }

  #dispatch(frame: Uint8Array): void {
    this.sentBytes += frame.length;
    this.#inFlightBytes += frame.length;
    this.#inFlightFrames += 1;
    const done = () => {
      this.#inFlightBytes -= frame.length;
      this.#inFlightFrames -= 1;
      if (!this.#isClosed) this.#flush();
    };
    this.#transmit(frame).then(done, done);
  }
}
