import { readFile, rename, rm, writeFile } from "node:fs/promises";

/** A small file of the data directory that is only ever replaced as a whole. */
export type WholeFile = {
  /** What it holds; undefined where it cannot be read. */
  read(): Promise<string | undefined>;
  /** Replaces it, readable by its owner alone; calls are carried out one after the other. Rejects where the disk does. */
  write(text: string): Promise<void>;
  /** When all writes so far have ended, well or not. */
  settled(): Promise<void>;
};

export function wholeFile(path: string): WholeFile {
  const replacement = `${path}.new`;
  let last: Promise<void> = Promise.resolve();
  const replace = async (text: string): Promise<void> => {
    await rm(replacement, { force: true });
    await writeFile(replacement, text, { mode: 0o600, flag: "wx", flush: true });
    await rename(replacement, path);
  };
  return {
    read: () => readFile(path, "utf8").catch(() => undefined),
    write(text) {
      last = last.catch(() => {}).then(() => replace(text));
      return last;
    },
    settled: () => last.catch(() => {}),
  };
}
