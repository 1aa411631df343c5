// The way out of one channel: a queue of frames, and a window of those that werift holds.
import { SendQueue } from "./send-queue.ts";

/** werift wakes every pending send at every flush, so it is given few and large ones. */
const WINDOW_BYTES = 65_536;
const WINDOW_FRAMES = 8;

export type FrameSenderOptions = {
  /** Resolves when the frame has gone to the network. */
  readonly transmit: (frame: Buffer) => Promise<void>;
  readonly onDrained: () => void;
};

export class FrameSender {
  readonly #options: FrameSenderOptions;
  readonly #queue: SendQueue = new SendQueue();
  #inFlightBytes = 0;
  #inFlightFrames = 0;
  #flushing: NodeJS.Immediate | undefined;
  #isClosed = false;
  /** Of frames handed on. */
  sentBytes = 0;

  constructor(options: FrameSenderOptions) {
    this.#options = options;
  }

  /** Copies the message. "sent" goes out in this turn of the event loop, "queued" when the window opens. */
  send(message: Uint8Array): "sent" | "queued" | "full" {
    const isNext = this.#queue.isEmpty && this.#hasWindow;
    if (!this.#queue.push(message)) return "full";
    // At the end of this turn, so that what is sent in one turn shares a frame.
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#flush();
    });
    return isNext ? "sent" : "queued";
  }

  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#flushing);
    this.#queue.clear();
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
    if (!this.#isClosed && this.#queue.takeDrained()) this.#options.onDrained();
  }

  #dispatch(frame: Buffer): void {
    this.sentBytes += frame.length;
    this.#inFlightBytes += frame.length;
    this.#inFlightFrames += 1;
    const done = () => {
      this.#inFlightBytes -= frame.length;
      this.#inFlightFrames -= 1;
      if (!this.#queue.isEmpty) this.#flush();
    };
    this.#options.transmit(frame).then(done, done);
  }
}
