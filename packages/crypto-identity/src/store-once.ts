import { constants } from "node:fs";
import { copyFile, link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";

// Node only. A file that appears whole or not at all, is on disk when this returns, and never replaces another.

const NO_HARD_LINKS: ReadonlySet<unknown> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** The system's name of an error, such as "ENOENT". */
export function errnoOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function publish(temporary: string, path: string, linkFile: typeof link): Promise<void> {
  try {
    // Unlike rename, link fails where the name is taken.
    await linkFile(temporary, path);
  } catch (error) {
    if (!NO_HARD_LINKS.has(errnoOf(error))) throw error;
    await copyFile(temporary, path, constants.COPYFILE_EXCL);
    await sync(path);
  }
}

/**
 * Writes `content` to `path`, mode 0600, unless something is there already; says whether it did. `temporary` is a free
 * name in the same directory. Throws the system's error where it cannot.
 */
export async function storeOnce(
  path: string,
  temporary: string,
  content: string,
  linkFile: typeof link = link,
): Promise<boolean> {
  const handle = await open(temporary, "wx", 0o600);
  try {
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(temporary, path, linkFile);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
  // The name is part of the directory. Windows has no such handle.
  if (process.platform !== "win32") await sync(dirname(path));
  return true;
}
