// What one message of the data channel holds: whole records, so that many small messages cost one SCTP message.
//
//   record: 0 length u16, 1 to 16,384 | 2 bytes
//
// The first record each way is the label, as ASCII hex: a negotiated channel has no label of its own on the wire. A browser page
// does the same: it sends `length ‖ label` on open, and reads records from each message.
export const MESSAGE_MAX_BYTES = 16_384;
const PREFIX_BYTES = 2;
/** Frames are filled up to here: one message of the largest size. */
export const FRAME_FILL_BYTES: number = PREFIX_BYTES + MESSAGE_MAX_BYTES;
/** A longer data channel message is not received; the default of RFC 8841 §6.1. */
export const FRAME_MAX_BYTES = 65_536;

/** Undefined for a frame that is empty, too long, or not whole records. The records are views of it. */
export function readRecords(frame: Buffer): Uint8Array[] | undefined {
  if (frame.length === 0 || frame.length > FRAME_MAX_BYTES) return undefined;
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < frame.length) {
    if (at + PREFIX_BYTES > frame.length) return undefined;
    const length = frame.readUInt16BE(at);
    const end = at + PREFIX_BYTES + length;
    if (length === 0 || length > MESSAGE_MAX_BYTES || end > frame.length) return undefined;
    records.push(new Uint8Array(frame.buffer, frame.byteOffset + at + PREFIX_BYTES, length));
    at = end;
  }
  return records;
}

/** The frame that is being filled: it grows to what it holds. */
export class FrameWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(512);
  #size = 0;

  get sizeBytes(): number {
    return this.#size;
  }

  fits(messageSizeBytes: number): boolean {
    return this.#size + PREFIX_BYTES + messageSizeBytes <= FRAME_FILL_BYTES;
  }

  /** Copies the message; only after `fits`. */
  append(message: Uint8Array): void {
    const end = this.#size + PREFIX_BYTES + message.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(FRAME_FILL_BYTES, Math.max(end, 2 * this.#bytes.length)));
      this.#bytes.copy(larger, 0, 0, this.#size);
      this.#bytes = larger;
    }
    this.#bytes.writeUInt16BE(message.length, this.#size);
    this.#bytes.set(message, this.#size + PREFIX_BYTES);
    this.#size = end;
  }

  /** The frame; the writer is used up. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }
}
