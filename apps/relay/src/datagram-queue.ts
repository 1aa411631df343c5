import type { NodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";

// What the socket brings, until the core takes it. Datagrams are read faster than they are opened, so where more comes than the core
// can take they wait here and not in the system's buffer, which drops whoever comes last: here links have their turns, and what fills
// the longest row is dropped. All who have no link share one row. Of what waits a batch is handed over in each turn of the event loop;
// what it answers shares datagrams.

// BOUNDED: datagrams that wait, in all and of one link. The latter is a link's window.
const WAITING_MAX = 4_096;
const ROW_MAX = 256;
/** What libuv reads in a turn of the event loop at most: where as much has come, more waits in the system. */
const READ_MAX = 32;
/** Fewer than that, or reading would be no faster than opening. */
const BATCH = 16;
/** So many turns in a row that bring all they can are no burst: from there on reading comes first, lest the system drops. */
const FLOODED_TURNS = 4;
const BATCH_FLOODED = 4;

export type Datagram = { readonly type: "datagram"; readonly bytes: Uint8Array; readonly from: Address };

export type DatagramQueueOptions = {
  /** The peer on whose link a datagram says that it comes. */
  readonly peerOf: (bytes: Uint8Array) => NodeId | undefined;
  readonly handle: (batch: readonly Datagram[]) => void;
  /** Calls back once the socket was looked at again. */
  readonly soon: (callback: () => void) => void;
};

export class DatagramQueue {
  readonly #options: DatagramQueueOptions;
  /** The row whose turn is next stands in front. */
  readonly #rows = new Map<NodeId | undefined, Datagram[]>();
  /** Whose rows are so long, for each length: to look for the longest among all rows would cost as much as to open a datagram. */
  readonly #byLength = Array.from({ length: ROW_MAX + 1 }, () => new Set<NodeId | undefined>());
  /** No row is longer. */
  #longest = 0;
  #waiting = 0;
  #dropped = 0;
  #isScheduled = false;
  /** Since the last turn, and how many turns in a row brought all they can. */
  #arrived = 0;
  #fullTurns = 0;

  constructor(options: DatagramQueueOptions) {
    this.#options = options;
  }

  /** Datagrams that found no place so far. */
  get droppedCount(): number {
    return this.#dropped;
  }

  get waitingCount(): number {
    return this.#waiting;
  }

  push(bytes: Uint8Array, from: Address): void {
    this.#arrived += 1;
    const key = this.#options.peerOf(bytes);
    const row = this.#rows.get(key) ?? [];
    if (row.length >= ROW_MAX) {
      this.#dropped += 1;
      return;
    }
    if (row.push({ type: "datagram", bytes, from }) === 1) this.#rows.set(key, row);
    this.#changed(key, row.length - 1, row.length);
    this.#waiting += 1;
    if (this.#waiting > WAITING_MAX) this.#dropLongest();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting === 0) return;
    this.#isScheduled = true;
    this.#options.soon(() => {
      this.#isScheduled = false;
      this.#fullTurns = this.#arrived >= READ_MAX ? this.#fullTurns + 1 : 0;
      this.#arrived = 0;
      this.#options.handle(this.#take(this.#fullTurns < FLOODED_TURNS ? BATCH : BATCH_FLOODED));
      this.#schedule();
    });
  }

  /** A batch, the rows in turn. */
  #take(most: number): Datagram[] {
    const batch: Datagram[] = [];
    // A row that is put to the end comes again in this very loop, behind the others.
    for (const [key, row] of this.#rows) {
      if (batch.length === most) break;
      batch.push(row.shift() as Datagram);
      this.#changed(key, row.length + 1, row.length);
      this.#waiting -= 1;
      this.#rows.delete(key);
      if (row.length > 0) this.#rows.set(key, row);
    }
    return batch;
  }

  /** Of several that are longest, the one that has been for longest. */
  #dropLongest(): void {
    while (this.#longest > 0 && this.#byLength[this.#longest]?.size === 0) this.#longest -= 1;
    for (const key of this.#byLength[this.#longest] ?? []) {
      const row = this.#rows.get(key) ?? [];
      row.pop();
      this.#changed(key, row.length + 1, row.length);
      if (row.length === 0) this.#rows.delete(key);
      this.#waiting -= 1;
      this.#dropped += 1;
      return;
    }
  }

  /** A row has another length. */
  #changed(key: NodeId | undefined, before: number, after: number): void {
    this.#byLength[before]?.delete(key);
    if (after > 0) this.#byLength[after]?.add(key);
    this.#longest = Math.max(this.#longest, after);
  }
}
