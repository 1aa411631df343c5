// What one message of the data channel holds: whole records, so that many small messages cost one SCTP message.
//
//   record: 0 header u16 | 2 bytes
//   header: 0x0001-0x4000  a message of that many bytes (1 to 16,384)
//           0xffff         16,383 bytes of a longer message that goes on in the next such record
//           0x8001-0xbfff  the last 1 to 16,383 bytes of it
//
// The parts of a longer message follow each other; whole messages, urgent ones, may stand between them. Every part but the last is
// full, so that a peer cannot make us keep many small ones. The first record each way is the label, as ASCII hex: a negotiated
// channel has no label of its own on the wire. Pure, and for browsers as well; what is read is untrusted.
/** Largest message of a channel. */
export const MESSAGE_MAX_BYTES: number = 256 * 1024;
/** A message up to this size is one record, and may be urgent. */
export const RECORD_MAX_BYTES = 16_384;
/** A longer data channel message is not received; the default of RFC 8841 §6.1. */
export const FRAME_MAX_BYTES = 65_536;
const PREFIX_BYTES = 2;
/** Frames are filled up to here: one record of the largest size. */
export const FRAME_FILL_BYTES: number = PREFIX_BYTES + RECORD_MAX_BYTES;
const PART_BYTES = 16_383;
const PART = 0x8000;
const MORE = 0xffff;

/** Bytes that a message takes in frames. */
export function framedBytes(messageBytes: number): number {
  return messageBytes + PREFIX_BYTES * (messageBytes <= RECORD_MAX_BYTES ? 1 : Math.ceil(messageBytes / PART_BYTES));
}

/** The records of a message, each a header and a view. */
export function* recordsOf(message: Uint8Array): Generator<readonly [header: number, bytes: Uint8Array]> {
  if (message.length <= RECORD_MAX_BYTES) {
    yield [message.length, message];
    return;
  }
  let at = 0;
  for (; message.length - at > PART_BYTES; at += PART_BYTES) yield [MORE, message.subarray(at, at + PART_BYTES)];
  yield [PART | (message.length - at), message.subarray(at)];
}

/** The frame that is being filled: it grows to what it holds. */
export class FrameWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #sizeBytes = 0;

  /** Bytes of the frame so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether a record of this size still goes into the frame. */
  fits(recordBytes: number): boolean {
    return this.#sizeBytes + PREFIX_BYTES + recordBytes <= FRAME_FILL_BYTES;
  }

  /** Copies the bytes; only after `fits`. */
  append(header: number, bytes: Uint8Array): void {
    const start = this.#sizeBytes;
    const end = start + PREFIX_BYTES + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(FRAME_FILL_BYTES, Math.max(end, 2 * this.#bytes.length)));
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
    }
    this.#bytes[start] = header >> 8;
    this.#bytes[start + 1] = header & 0xff;
    this.#bytes.set(bytes, start + PREFIX_BYTES);
    this.#sizeBytes = end;
  }

  /** The frame; the writer is used up. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#sizeBytes);
  }
}

/** Bytes of unfinished messages that several readers may hold together. */
export type PartsBudget = { usedBytes: number; readonly maxBytes: number };

/** One direction of a channel: frames in, messages out. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #budget: PartsBudget;
  // BOUNDED: maxBytes, in full parts.
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  /** Counts the messages that were begun in parts. */
  begun = 0;

  constructor(
    maxBytes: number = MESSAGE_MAX_BYTES,
    budget: PartsBudget = { usedBytes: 0, maxBytes: MESSAGE_MAX_BYTES },
  ) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** Whether part of a message waits for its rest. */
  get isUnfinished(): boolean {
    return this.#parts.length > 0;
  }

  /**
   * The messages that are whole with this frame, those of one record as views of it. "bad" for a frame that is empty, too long or
   * not whole records, or a message that is too long; "busy" where the budget is used up. Nothing can be read after either.
   */
  read(frame: Uint8Array): Uint8Array[] | "bad" | "busy" {
    if (frame.length === 0 || frame.length > FRAME_MAX_BYTES) return "bad";
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at < frame.length) {
      if (at + PREFIX_BYTES > frame.length) return "bad";
      const header = ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
      const sizeBytes = header < PART ? header : header === MORE ? PART_BYTES : header - PART;
      const end = at + PREFIX_BYTES + sizeBytes;
      if (end > frame.length || sizeBytes < 1 || sizeBytes > RECORD_MAX_BYTES) return "bad";
      const bytes = frame.subarray(at + PREFIX_BYTES, end);
      at = end;
      if (header < PART) {
        if (sizeBytes > this.#maxBytes) return "bad";
        messages.push(bytes);
        continue;
      }
      const fault = this.#takePart(bytes, header === MORE);
      if (fault !== undefined) return fault;
      if (header !== MORE) messages.push(this.#joinParts());
    }
    return messages;
  }

  /** Gives back what it holds of the budget. */
  close(): void {
    this.#budget.usedBytes -= this.#partsBytes;
    this.#parts = [];
    this.#partsBytes = 0;
  }

  #takePart(bytes: Uint8Array, isMore: boolean): "bad" | "busy" | undefined {
    if (bytes.length > PART_BYTES || (!isMore && this.#parts.length === 0)) return "bad";
    if (this.#partsBytes + bytes.length > this.#maxBytes) return "bad";
    if (this.#budget.usedBytes + bytes.length > this.#budget.maxBytes) return "busy";
    if (this.#parts.length === 0) this.begun += 1;
    this.#parts.push(bytes);
    this.#partsBytes += bytes.length;
    this.#budget.usedBytes += bytes.length;
    return undefined;
  }

  #joinParts(): Uint8Array {
    const message = new Uint8Array(this.#partsBytes);
    let at = 0;
    for (const part of this.#parts) {
      message.set(part, at);
      at += part.length;
    }
    this.close();
    return message;
  }
}
