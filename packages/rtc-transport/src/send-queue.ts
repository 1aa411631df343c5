// Messages that wait for their channel, already joined to frames: urgent ones go ahead of all others, and each kind keeps its order.
import { FrameWriter, framedBytes, recordsOf } from "./framing.ts";

/** Longer, and the sender outruns its channel for good; a session above has its own window. */
export const QUEUE_MAX_BYTES: number = 1024 * 1024;
/** Of urgent ones, besides: what ends or keeps a link must not wait for room. */
export const URGENT_MAX_BYTES: number = 64 * 1024;
/** Below this a sender that was told "full" may go on. */
const DRAINED_BYTES: number = QUEUE_MAX_BYTES / 2;

type Lane = { frames: FrameWriter[]; sizeBytes: number; readonly maxBytes: number };

export class SendQueue {
  // BOUNDED: QUEUE_MAX_BYTES and URGENT_MAX_BYTES, prefixes included.
  readonly #bulk: Lane = { frames: [], sizeBytes: 0, maxBytes: QUEUE_MAX_BYTES };
  readonly #urgent: Lane = { frames: [], sizeBytes: 0, maxBytes: URGENT_MAX_BYTES };

  get isEmpty(): boolean {
    return this.#bulk.frames.length + this.#urgent.frames.length === 0;
  }

  /** Is there room again for whoever was told that there is none? */
  get isDrained(): boolean {
    return this.#bulk.sizeBytes <= DRAINED_BYTES;
  }

  /** Copies the message, or false where it does not fit. */
  push(message: Uint8Array, isUrgent: boolean): boolean {
    const lane = isUrgent ? this.#urgent : this.#bulk;
    const added = framedBytes(message.length);
    if (lane.sizeBytes + added > lane.maxBytes) return false;
    for (const [header, bytes] of recordsOf(message)) {
      let last = lane.frames.at(-1);
      if (last === undefined || !last.fits(bytes.length)) {
        last = new FrameWriter();
        lane.frames.push(last);
      }
      last.append(header, bytes);
    }
    lane.sizeBytes += added;
    return true;
  }

  /** The frame that is next. */
  shift(): Uint8Array | undefined {
    const lane = this.#urgent.frames.length > 0 ? this.#urgent : this.#bulk;
    const frame = lane.frames.shift();
    lane.sizeBytes -= frame?.sizeBytes ?? 0;
    return frame?.take();
  }

  clear(): void {
    for (const lane of [this.#bulk, this.#urgent]) {
      lane.frames = [];
      lane.sizeBytes = 0;
    }
  }
}
