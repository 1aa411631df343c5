import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { errnoOf } from "./errno.ts";
import { DataDirError } from "./errors.ts";
import { type Lock, takeLock } from "./lock.ts";
import { checkSocketRoom, localSocketPath } from "./socket-path.ts";

const GROUP_AND_WORLD_WRITE = 0o022;

/** A data directory that this process holds. */
export type DataDir = {
  /** Absolute. */
  readonly directory: string;
  readonly keyPath: string;
  /** Where local clients connect: a unix socket, on Windows a named pipe. */
  readonly socketPath: string;
  /** The path of a file in it. */
  path(name: string): string;
  /** Frees the lock; later calls do nothing. A process that dies frees it too. */
  release(): Promise<void>;
};

/** The paths in a data directory, for who only looks: nothing is made, checked or locked. */
export type DataDirPaths = Pick<DataDir, "directory" | "keyPath" | "socketPath" | "path">;

/** The paths in a data directory, for who only looks: nothing is made, checked or locked. */
export function dataDirPaths(path: string): DataDirPaths {
  const directory = resolve(path);
  return {
    directory,
    keyPath: join(directory, "node.key"),
    socketPath: localSocketPath(directory, "starling.sock"),
    path: (name) => join(directory, name),
  };
}

/** `$XDG_STATE_HOME/NAME`, or `~/.local/state/NAME`. */
export function defaultDataDir(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const state = env.XDG_STATE_HOME;
  // The XDG specification says to ignore a relative one.
  return join(state !== undefined && isAbsolute(state) ? state : join(homedir(), ".local", "state"), name);
}

/** Makes the directory, 0700, where there is none, and checks it: nobody but this user may change what is in it. */
export async function prepareDataDir(path: string): Promise<DataDirPaths> {
  const paths = dataDirPaths(path);
  const { directory } = paths;
  checkSocketRoom(directory);
  let status: Awaited<ReturnType<typeof stat>>;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    status = await stat(directory);
  } catch (error) {
    throw unusable(directory, error);
  }
  const uid = process.getuid?.();
  if (uid !== undefined && status.uid !== uid) {
    throw new DataDirError(
      "E_DATA_DIR_FOREIGN",
      `the data directory ${directory} belongs to user ${status.uid}, this process runs as user ${uid}; run as its owner, or choose another with --data-dir`,
    );
  }
  if (uid !== undefined && (status.mode & GROUP_AND_WORLD_WRITE) !== 0) {
    throw new DataDirError(
      "E_DATA_DIR_PERMISSIONS",
      `others may write to the data directory ${directory} (mode ${(status.mode & 0o777).toString(8)}); make it private with: chmod 700 ${directory}`,
    );
  }
  return paths;
}

/**
 * Makes, checks and locks a data directory. Throws `DataDirError`: in use, foreign, open to others, not usable, or its path too
 * long for a socket in it.
 */
export async function openDataDir(path: string): Promise<DataDir> {
  const paths = await prepareDataDir(path);
  const lock = await takeLockOf(paths.directory);
  let released: Promise<void> | undefined;
  return {
    ...paths,
    release: () => {
      released ??= lock.release();
      return released;
    },
  };
}

async function takeLockOf(directory: string): Promise<Lock> {
  try {
    return await takeLock(directory);
  } catch (error) {
    throw error instanceof DataDirError ? error : unusable(directory, error);
  }
}

function unusable(directory: string, error: unknown): DataDirError {
  const errno = errnoOf(error) || "unknown error";
  return new DataDirError(
    "E_DATA_DIR_UNUSABLE",
    `the data directory ${directory} cannot be made or used (${errno}); check that its parent exists and this user may write there, or choose another with --data-dir`,
    { cause: error },
  );
}
