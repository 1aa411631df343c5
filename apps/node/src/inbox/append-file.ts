import { fstatSync, ftruncateSync, renameSync, writeSync } from "node:fs";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

// A file that grows by whole lines at its end, and is replaced as a whole when it has grown too much. Appending writes at once,
// so that it survives the process; `sync` brings what was appended to the disk, so that it survives the machine.

const WRITE_CHUNK_CHARACTERS = 1024 * 1024;

export class AppendFile {
  readonly #path: string;
  #handle: FileHandle;
  #sizeBytes: number;
  /** Half a text stands at the end: what comes next begins a line of its own. */
  #torn = false;
  /** What was appended while the file is being replaced. */
  #late: string[] | undefined;

  private constructor(path: string, handle: FileHandle, sizeBytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
  }

  /** Opens or makes the file, 0600, and gives what is in it. */
  static async open(path: string): Promise<{ readonly file: AppendFile; readonly content: Buffer }> {
    // Left by a process that ended while it was replacing the file, which still holds everything.
    await rm(replacement(path), { force: true });
    const handle = await open(path, "a", 0o600);
    const content = await readFile(path);
    return { file: new AppendFile(path, handle, content.length), content };
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Appends whole lines in one write. Throws where it cannot be written; what is appended later does not suffer from it. */
  append(text: string): void {
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text);
    try {
      writeAll(this.#handle.fd, bytes);
    } catch (error) {
      this.#cutBack();
      throw error;
    }
    this.#torn = false;
    this.#sizeBytes += bytes.length;
    this.#late?.push(text);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  /** Puts these texts into the file's place, and what is appended meanwhile behind them (that is not synced yet). */
  async replace(texts: readonly string[]): Promise<void> {
    this.#late = [];
    const path = replacement(this.#path);
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, "ax", 0o600);
      for (const chunk of chunks(texts)) await handle.appendFile(chunk);
      await handle.datasync();
      // From here to the swap nothing is awaited, so nothing can be appended.
      writeAll(handle.fd, Buffer.from(this.#late.join("")));
      const { size } = fstatSync(handle.fd);
      renameSync(path, this.#path);
      [handle, this.#handle, this.#sizeBytes] = [this.#handle, handle, size];
      this.#torn = false;
    } finally {
      this.#late = undefined;
      // The old file after a swap, the new one after a failure.
      await handle?.close();
      await rm(path, { force: true });
    }
    await syncDirectory(dirname(this.#path));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Half a record would spoil the one behind it. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#handle.fd, this.#sizeBytes);
    } catch {
      this.#torn = true;
    }
  }
}

function replacement(path: string): string {
  return `${path}.new`;
}

/** Texts joined into fewer, larger ones. */
function* chunks(texts: readonly string[]): Iterable<string> {
  let chunk = "";
  for (const text of texts) {
    chunk += text;
    if (chunk.length < WRITE_CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; at += writeSync(fd, bytes, at));
}

/** A new name is on the disk only when its directory is; Windows does not offer this and does not need it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
