import type { Socket } from "node:net";

/** From this on the other end counts as behind, and is said to have read when it has. */
const BEHIND_BYTES = 64 * 1024;

/** Lines to a socket: those of one turn of the event loop go in one write, for a write is what costs. */
export class LineWriter {
  readonly #socket: Socket;
  readonly #onDrained: () => void;
  // BOUNDED: by who sends, as the socket's own queue is; `unreadBytes` counts it.
  #lines = "";

  constructor(socket: Socket, onDrained: () => void = () => {}) {
    this.#socket = socket;
    this.#onDrained = onDrained;
    socket.on("drain", onDrained);
  }

  /** Not read by the other end yet. */
  get unreadBytes(): number {
    return this.#socket.writableLength + this.#lines.length;
  }

  send(line: string): void {
    if (this.#lines === "") process.nextTick(() => this.flush());
    this.#lines += `${line}\n`;
  }

  flush(): void {
    const lines = this.#lines;
    this.#lines = "";
    if (lines === "" || !this.#socket.writable) return;
    // Where the system took it all at once the socket says nothing.
    if (this.#socket.write(lines) && lines.length > BEHIND_BYTES) this.#onDrained();
  }
}
