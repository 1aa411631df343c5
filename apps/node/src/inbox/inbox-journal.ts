import { CommandError, EXIT } from "@starling/daemon";
import type { InboxEntry } from "@starling/node-core";
import { AppendFile } from "./append-file.ts";
import { decodeRecord, encodeRecord, HEADER, isReadable } from "./record.ts";

// What the node has acknowledged, on disk: entries that wait for a program, and the keys of those that were handed out, until
// nobody can send them again. A receipt is given after `put` has resolved, so a message with a receipt survives everything but
// the loss of the disk.

/** Below this a compaction is not worth its writing. */
const COMPACT_MIN_BYTES = 8 * 1024 * 1024;
/** A key is kept for this long after its message has expired (PROTOCOL §7.3). */
const AFTER_EXPIRY_MS = 60_000;

export type DeliveredKey = { readonly key: string; readonly expiresMs: number };

export type OpenedJournal = {
  readonly journal: InboxJournal;
  /** Written and not handed out, in their order. */
  readonly waiting: readonly InboxEntry[];
  /** Keys of those among them that a program was given before, and did not acknowledge. */
  readonly given: ReadonlySet<string>;
  /** Of all entries, waiting ones included. */
  readonly delivered: readonly DeliveredKey[];
  /** Lines that did not check and were left out: a write that a crash cut short, or a damaged disk. */
  readonly damagedCount: number;
};

type Kept = { readonly expiresMs: number; readonly sizeBytes: number; readonly entry: InboxEntry | undefined };
type Content = { readonly kept: Map<string, Kept>; readonly given: Set<string> };
export type Notes = { readonly given?: readonly string[]; readonly out?: readonly string[] };
type Waiter = { readonly resolve: () => void; readonly reject: (error: unknown) => void };

export type InboxJournalOptions = {
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly compactMinBytes?: number;
};

export class InboxJournal {
  readonly #file: AppendFile;
  readonly #wallMs: () => number;
  readonly #compactMinBytes: number;
  // BOUNDED: waiting entries by the core's inbox, keys by its delivered set; expired ones go at the next compaction.
  readonly #kept: Map<string, Kept>;
  // BOUNDED: by the entries that wait.
  readonly #given: Set<string>;
  #liveBytes: number;
  // BOUNDED: by the core, which waits for each.
  #waiters: Waiter[] = [];
  #dirty = false;
  /** What the file holds is not certain: it is written anew before anything else is promised. */
  #suspect: boolean;
  #committing: Promise<void> | undefined;

  private constructor(options: InboxJournalOptions, file: AppendFile, { kept, given }: Content, suspect: boolean) {
    this.#file = file;
    this.#wallMs = options.wallMs;
    this.#compactMinBytes = options.compactMinBytes ?? COMPACT_MIN_BYTES;
    this.#kept = kept;
    this.#given = given;
    this.#suspect = suspect;
    this.#liveBytes = [...kept.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Reads the journal back, or begins one. Rejects with `E_INBOX_VERSION` for a file that this version does not know. */
  static async open(options: InboxJournalOptions): Promise<OpenedJournal> {
    const { file, content } = await AppendFile.open(options.path);
    try {
      const { kept, given, damagedCount } = read(content, options);
      const isNew = content.length === 0;
      const journal = new InboxJournal(options, file, { kept, given }, isNew || damagedCount > 0);
      journal.#purge();
      if (journal.#isCompactionDue) await journal.#compact();
      const waiting = [...kept.values()].flatMap(({ entry }) => entry ?? []);
      const delivered = [...kept].map(([key, { expiresMs }]) => ({ key, expiresMs }));
      return { journal, waiting, given: new Set(given), delivered, damagedCount };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Writes the entries, so that they survive this process, or throws and has written none. What is returned resolves when they survive
   * the machine too; what comes while one sync runs shares the next. After a rejection they are still kept: putting them again tries
   * to sync them again.
   */
  put(entries: readonly InboxEntry[]): Promise<void> {
    const unknown = entries.filter(({ key }) => !this.#kept.has(key));
    const texts = unknown.map((entry) => encodeRecord({ op: "put", ...entry }));
    this.#append(texts);
    for (const [at, entry] of unknown.entries()) {
      this.#keep(entry.key, { expiresMs: entry.expiresMs, sizeBytes: texts[at]?.length ?? 0, entry });
    }
    this.#dirty = true;
    const synced = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#commit();
    return synced;
  }

  /**
   * Notes what becomes of entries now. `given`: a program has it and has yet to acknowledge it, so whoever gets it next is told. `out`:
   * it is handed out; a crash right behind it will not hand it out again. A power cut may: it is synced with the next entry, for a
   * sync of its own would keep that one waiting. Throws where it cannot be written; it holds all the same, and the file is written anew
   * with what is noted or put next, or at the end.
   */
  note({ given = [], out = [] }: Notes): void {
    const texts: string[] = [];
    for (const key of given) {
      if (this.#kept.get(key)?.entry === undefined || this.#given.has(key)) continue;
      this.#given.add(key);
      texts.push(encodeRecord({ op: "given", key }));
    }
    for (const key of out) {
      const kept = this.#kept.get(key);
      if (kept?.entry === undefined) continue;
      const { expiresMs } = kept;
      this.#given.delete(key);
      // Forgotten in memory whatever the disk says: this process has handed it out.
      this.#keep(key, { expiresMs, sizeBytes: key.length + 64, entry: undefined });
      texts.push(encodeRecord({ op: "out", key, expiresMs }));
    }
    try {
      this.#append(texts);
    } catch (error) {
      this.#suspect = true;
      throw error;
    }
    // An earlier note did not get into the file, and now there may be room again.
    if (this.#suspect) this.#commit();
  }

  /** Brings everything to the disk and closes the file. */
  async close(): Promise<void> {
    this.#dirty ||= this.#suspect;
    if (this.#dirty) this.#commit();
    while (this.#committing !== undefined) await this.#committing;
    await this.#file.close();
  }

  /** In one write. */
  #append(texts: readonly string[]): void {
    if (texts.length === 0) return;
    this.#file.append(texts.join(""));
    this.#dirty = true;
  }

  #keep(key: string, kept: Kept): void {
    this.#liveBytes += kept.sizeBytes - (this.#kept.get(key)?.sizeBytes ?? 0);
    this.#kept.set(key, kept);
  }

  #forget(key: string): void {
    this.#liveBytes -= this.#kept.get(key)?.sizeBytes ?? 0;
    this.#kept.delete(key);
  }

  #commit(): void {
    this.#committing ??= this.#commitAll().finally(() => {
      this.#committing = undefined;
      // What was put by those whom the last commit woke came too late for it, and too early to begin one.
      if (this.#dirty) this.#commit();
    });
  }

  async #commitAll(): Promise<void> {
    // What this turn of the event loop still brings shares the sync.
    await new Promise(setImmediate);
    while (this.#dirty) {
      this.#dirty = false;
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        if (this.#isCompactionDue) await this.#compact();
        else await this.#file.sync();
        for (const { resolve } of waiters) resolve();
      } catch (error) {
        // After a failed sync the system may have thrown the data away, and a second sync would not tell.
        this.#suspect = true;
        for (const { reject } of waiters) reject(error);
      }
    }
  }

  get #isCompactionDue(): boolean {
    return this.#suspect || this.#file.sizeBytes > Math.max(this.#compactMinBytes, 2 * this.#liveBytes);
  }

  async #compact(): Promise<void> {
    this.#purge();
    const texts = [encodeRecord(HEADER)];
    for (const [key, { entry, expiresMs }] of this.#kept) {
      texts.push(encodeRecord(entry === undefined ? { op: "out", key, expiresMs } : { op: "put", ...entry }));
      if (this.#given.has(key)) texts.push(encodeRecord({ op: "given", key }));
    }
    await this.#file.replace(texts);
    this.#suspect = false;
  }

  #purge(): void {
    const expiredMs = this.#wallMs() - AFTER_EXPIRY_MS;
    for (const [key, { entry, expiresMs }] of this.#kept) {
      if (entry === undefined && expiresMs < expiredMs) this.#forget(key);
    }
  }
}

function read(content: Buffer, { path }: InboxJournalOptions): Content & { readonly damagedCount: number } {
  const kept = new Map<string, Kept>();
  const given = new Set<string>();
  let damagedCount = 0;
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(0x0a, start);
    const end = newline < 0 ? content.length : newline;
    // A last line without its newline was not written to its end, whatever its checksum says.
    const record = newline < 0 ? undefined : decodeRecord(content.toString("utf8", start, end));
    const sizeBytes = end + 1 - start;
    start = end + 1;
    if (record === undefined) {
      damagedCount += 1;
    } else if (record.op === "put") {
      const { op, ...entry } = record;
      // One that stands there twice was put again after a failed write.
      if (!kept.has(entry.key)) kept.set(entry.key, { expiresMs: entry.expiresMs, sizeBytes, entry });
    } else if (record.op === "given") {
      given.add(record.key);
    } else if (record.op === "out") {
      given.delete(record.key);
      kept.set(record.key, { expiresMs: record.expiresMs, sizeBytes, entry: undefined });
    } else if (!isReadable(record)) {
      const message = `${path} was written by another version of this program (${record.version}); run that one, or move the file away and lose the messages in it`;
      throw new CommandError("E_INBOX_VERSION", message, EXIT.unsafe);
    }
  }
  return { kept, given, damagedCount };
}
