// Puts the fragments of large frames together again; the byte table stands in the wire protocol's frame.ts.
import { FRAGMENT_HEADER_BYTES, FRAGMENTS_MAX, FRAME_MAX_BYTES, type Frame } from "@starling/wire-protocol";
import { FRAGMENT_PIECE_BYTES, LINK_REASSEMBLIES, LINK_REASSEMBLY_BYTES, REASSEMBLY_MS } from "./limits.ts";

/** Expired frames whose late fragments must not be acknowledged. */
const ABANDONED_MAX = 64;

type Partial = {
  readonly base: number;
  readonly pieces: (Uint8Array | undefined)[];
  readonly reservedBytes: number;
  heldCount: number;
  heldBytes: number;
  progressMono: number;
};

export type FragmentOutcome =
  /** Held; acknowledge it. */
  | { readonly type: "held" }
  /** The last one was here; acknowledge it, and here is the frame. */
  | { readonly type: "complete"; readonly frame: Frame }
  /** Not kept for want of room, so not to be acknowledged: the peer sends it again. */
  | { readonly type: "no-room" }
  /** Nonsense from the peer; acknowledged to be rid of it. */
  | { readonly type: "bad" };

/** What half reassembled frames of all links may hold; a link reserves a frame's largest size at its first fragment. */
export class ReassemblyBudget {
  readonly #limitBytes: number;
  usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  reserve(sizeBytes: number): boolean {
    if (this.usedBytes + sizeBytes > this.#limitBytes) return false;
    this.usedBytes += sizeBytes;
    return true;
  }

  release(sizeBytes: number): void {
    this.usedBytes -= sizeBytes;
  }
}

/** The room that a frame of so many fragments may take; sender and receiver count alike, so an honest sender never overruns. */
export function reservedBytes(fragmentCount: number): number {
  return Math.min(fragmentCount * FRAGMENT_PIECE_BYTES, FRAME_MAX_BYTES);
}

export class Reassembly {
  // BOUNDED: 4 frames, 256 KiB a link, and the budget of all links.
  readonly #partials: Map<number, Partial> = new Map();
  // BOUNDED: ABANDONED_MAX, oldest out.
  readonly #abandoned: Set<number> = new Set();
  readonly #budget: ReassemblyBudget;
  #reservedBytes = 0;

  constructor(budget: ReassemblyBudget) {
    this.#budget = budget;
  }

  /** `number` is the fragment frame's own number, new to the receive window; `body` the fragment's, untrusted. */
  offer(number: number, body: Uint8Array, nowMono: number): FragmentOutcome {
    const index = body[0] ?? 0;
    const count = body[1] ?? 0;
    const base = number - index;
    const sizeBytes = body.length - FRAGMENT_HEADER_BYTES;
    if (sizeBytes < 1 || count < 2 || count > FRAGMENTS_MAX || index >= count || base < 0) return { type: "bad" };
    if (this.#abandoned.has(base)) return { type: "no-room" };
    const partial = this.#partials.get(base) ?? this.#start(base, count, nowMono);
    if (partial === undefined) return { type: "no-room" };
    if (partial.pieces.length !== count || partial.pieces[index] !== undefined) return { type: "bad" };
    if (partial.heldBytes + sizeBytes > partial.reservedBytes) {
      this.#drop(partial);
      return { type: "bad" };
    }
    // A copy (`slice` of a Buffer is none): a view would keep the whole datagram alive for one byte of it.
    partial.pieces[index] = new Uint8Array(body.subarray(FRAGMENT_HEADER_BYTES));
    partial.heldCount += 1;
    partial.heldBytes += sizeBytes;
    partial.progressMono = nowMono;
    if (partial.heldCount < count) return { type: "held" };
    this.#drop(partial);
    return { type: "complete", frame: join(partial) };
  }

  /** The sender gave up the frame that this number belongs to. */
  skip(number: number): void {
    for (const partial of this.#partials.values()) {
      if (number >= partial.base && number < partial.base + partial.pieces.length) this.#drop(partial);
    }
  }

  nextDeadlineMono(): number {
    let atMono = Number.POSITIVE_INFINITY;
    for (const partial of this.#partials.values()) atMono = Math.min(atMono, partial.progressMono + REASSEMBLY_MS);
    return atMono;
  }

  /** Drops what has not grown for 10 s and returns how many. What comes of it later is not acknowledged any more. */
  expire(nowMono: number): number {
    let expired = 0;
    for (const partial of this.#partials.values()) {
      // The very sum that nextDeadlineMono tells, or rounding could make a deadline that never comes.
      if (partial.progressMono + REASSEMBLY_MS > nowMono) continue;
      this.#drop(partial);
      this.#abandon(partial.base);
      expired += 1;
    }
    return expired;
  }

  /** The peer's numbers start anew, or the link is gone. */
  clear(): void {
    for (const partial of this.#partials.values()) this.#drop(partial);
    this.#abandoned.clear();
  }

  #start(base: number, count: number, nowMono: number): Partial | undefined {
    const reserved = reservedBytes(count);
    if (this.#partials.size >= LINK_REASSEMBLIES || this.#reservedBytes + reserved > LINK_REASSEMBLY_BYTES)
      return undefined;
    if (!this.#budget.reserve(reserved)) return undefined;
    this.#reservedBytes += reserved;
    const pieces: (Uint8Array | undefined)[] = new Array(count).fill(undefined);
    const partial = { base, pieces, reservedBytes: reserved, heldCount: 0, heldBytes: 0, progressMono: nowMono };
    this.#partials.set(base, partial);
    return partial;
  }

  #drop(partial: Partial): void {
    this.#partials.delete(partial.base);
    this.#reservedBytes -= partial.reservedBytes;
    this.#budget.release(partial.reservedBytes);
  }

  #abandon(base: number): void {
    this.#abandoned.add(base);
    if (this.#abandoned.size <= ABANDONED_MAX) return;
    for (const oldest of this.#abandoned) {
      this.#abandoned.delete(oldest);
      return;
    }
  }
}

function join(partial: Partial): Frame {
  const encoded = new Uint8Array(partial.heldBytes);
  let at = 0;
  for (const piece of partial.pieces) {
    if (piece === undefined) continue;
    encoded.set(piece, at);
    at += piece.length;
  }
  return { kind: encoded[0] ?? 0, body: encoded.subarray(1) };
}
