import type { LocalErrorCode } from "./errors.ts";
import { DEPTH_MAX, MESSAGE_MAX_BYTES } from "./limits.ts";

// One JSON text a line, in UTF-8. What comes from the other end is untrusted: size and depth are checked before JSON.parse,
// which would spend seconds and hundreds of megabytes on 16 MB of "[],".

const NEWLINE = 0x0a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Cuts a stream of bytes into lines. After "too-long" it has to be thrown away, and the connection with it. */
export class LineReader {
  readonly #maxBytes: number;
  // BOUNDED: by maxBytes, and one chunk.
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(maxBytes: number = MESSAGE_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk, without their newlines; "too-long" once a line exceeds the limit. */
  push(chunk: Uint8Array): Uint8Array[] | "too-long" {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      if (this.#sizeBytes + end + 1 - start > this.#maxBytes) return "too-long";
      lines.push(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    // The newline that is to come counts as well.
    if (this.#sizeBytes + rest.length >= this.#maxBytes) return "too-long";
    if (rest.length > 0) {
      this.#parts.push(rest.slice());
      this.#sizeBytes += rest.length;
    }
    return lines;
  }

  #take(last: Uint8Array): Uint8Array {
    if (this.#parts.length === 0) return last;
    const line = new Uint8Array(this.#sizeBytes + last.length);
    let at = 0;
    for (const part of [...this.#parts, last]) {
      line.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#sizeBytes = 0;
    return line;
  }
}

export type ParsedLine =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: Extract<LocalErrorCode, "E_PARSE" | "E_TOO_DEEP">;
      readonly message: string;
    };

/** Reads the JSON of a line; never throws. */
export function parseLine(line: Uint8Array): ParsedLine {
  let text: string;
  try {
    text = UTF8.decode(line);
  } catch {
    return { ok: false, code: "E_PARSE", message: "a message is one line of UTF-8" };
  }
  if (!hasFewBrackets(line, DEPTH_MAX) && isDeeperThan(text, DEPTH_MAX)) {
    return { ok: false, code: "E_TOO_DEEP", message: `a message nests arrays and objects at most ${DEPTH_MAX} deep` };
  }
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, code: "E_PARSE", message: "a message is one JSON text on one line" };
  }
}

/** Whether there are so few that open, in strings or not, that they cannot nest deeper: most messages have two. */
function hasFewBrackets(line: Uint8Array, countMax: number): boolean {
  let count = 0;
  for (const bracket of [OPEN_BRACKET, OPEN_BRACE]) {
    for (let at = line.indexOf(bracket); at >= 0; at = line.indexOf(bracket, at + 1)) {
      count += 1;
      if (count > countMax) return false;
    }
  }
  return true;
}

/** Whether brackets outside of strings nest deeper than this. Exact for JSON; for other text JSON.parse says no anyway. */
function isDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isString) {
      // Most of a message is the inside of strings, which an engine searches faster than a loop.
      at = text.indexOf('"', at);
      if (at < 0) return false;
      if (!isEscaped(text, at)) isString = false;
    } else if (character === '"') {
      isString = true;
    } else if (character === "[" || character === "{") {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (character === "]" || character === "}") {
      depth -= 1;
    }
  }
  return false;
}

/** Whether an odd number of backslashes stands before this place. */
function isEscaped(text: string, at: number): boolean {
  let start = at;
  while (text[start - 1] === "\\") start -= 1;
  return (at - start) % 2 === 1;
}
