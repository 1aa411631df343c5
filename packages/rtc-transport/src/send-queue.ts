// Messages that wait for their channel, already joined to frames.
import { FrameWriter } from "./framing.ts";

/** Longer, and the sender outruns its channel for good; the session above has its own window. */
export const QUEUE_MAX_BYTES: number = 1024 * 1024;
/** Below this a sender that was told "full" may go on. */
const DRAINED_BYTES: number = QUEUE_MAX_BYTES / 2;

export class SendQueue {
  // BOUNDED: QUEUE_MAX_BYTES, prefixes included.
  #frames: FrameWriter[] = [];
  #sizeBytes = 0;
  #wasFull = false;

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Copies the message, or false where it does not fit. */
  push(message: Uint8Array): boolean {
    let last = this.#frames.at(-1);
    const added = 2 + message.length;
    if (this.#sizeBytes + added > QUEUE_MAX_BYTES) {
      this.#wasFull = true;
      return false;
    }
    if (last === undefined || !last.fits(message.length)) {
      last = new FrameWriter();
      this.#frames.push(last);
    }
    last.append(message);
    this.#sizeBytes += added;
    return true;
  }

  /** The oldest frame. */
  shift(): Buffer | undefined {
    const frame = this.#frames.shift();
    this.#sizeBytes -= frame?.sizeBytes ?? 0;
    return frame?.take();
  }

  /** True once after a push was refused, when there is room again. */
  takeDrained(): boolean {
    if (!this.#wasFull || this.#sizeBytes > DRAINED_BYTES) return false;
    this.#wasFull = false;
    return true;
  }

  clear(): void {
    this.#frames = [];
    this.#sizeBytes = 0;
  }
}
