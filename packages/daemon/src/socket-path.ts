import { createHash } from "node:crypto";
import { join } from "node:path";
import { DataDirError } from "./errors.ts";

// sockaddr_un holds 104 bytes on macOS and 108 on Linux, the final NUL included; Node cuts what is longer without a word.
const PATH_MAX_BYTES = 100;
/** The longest name of a socket in a data directory, with its slash: what this leaves is the directory's. */
const NAME_MAX_BYTES = 14;

/** Where a local socket of this name in this directory listens: a path in it, on Windows a named pipe. */
export function localSocketPath(directory: string, name: string): string {
  if (process.platform !== "win32") return join(directory, name);
  const hash = createHash("sha256").update(directory.toLowerCase()).digest("hex").slice(0, 32);
  return `\\\\.\\pipe\\starling-${hash}-${name}`;
}

/**
 * Throws `E_DATA_DIR_PATH_TOO_LONG` where sockets in this directory would not fit. A socket elsewhere under a short name would
 * depend on TMPDIR, and two daemons with different ones would both believe that they hold the lock.
 */
export function checkSocketRoom(directory: string): void {
  const sizeBytes = Buffer.byteLength(directory);
  const max = PATH_MAX_BYTES - NAME_MAX_BYTES;
  if (process.platform === "win32" || sizeBytes <= max) return;
  throw new DataDirError(
    "E_DATA_DIR_PATH_TOO_LONG",
    `the path of the data directory ${directory} has ${sizeBytes} bytes, and only ${max} leave room for a socket in it; choose a shorter one, or name it by a symbolic link`,
  );
}
