import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { errnoOf } from "../errno.ts";
import { LocalClientError } from "../errors.ts";
import { checkSocketPath } from "../socket-path.ts";

// Who may connect to a unix socket is decided by its mode and by the directories above it, so both are made and checked here.
// A socket that a dead daemon left is taken over only after a connection to it was refused.

const GROUP_AND_WORLD_WRITE = 0o022;

/** Rejects with `E_BAD_SOCKET_PATH`, `E_SOCKET_DIRECTORY` or `E_SOCKET_IN_USE`. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  checkSocketPath(path);
  if (process.platform === "win32") {
    await listen(server, path);
    return;
  }
  prepareDirectory(dirname(path));
  try {
    await listen(server, path);
  } catch (error) {
    if (!isInUse(error)) throw error;
    await removeDead(path);
    await listen(server, path);
  }
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    // Somebody took the socket away meanwhile. A server that went on listening would keep the process for ever.
    server.close();
    throw cannotListen(path, error);
  }
}

function prepareDirectory(directory: string): void {
  let problem: string;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(directory);
    if (uid !== process.getuid?.()) problem = `belongs to user ${uid}`;
    else if ((mode & GROUP_AND_WORLD_WRITE) !== 0) problem = `can be written to by others; chmod 700 ${directory}`;
    else return;
  } catch (error) {
    problem = `cannot be made or entered (${errnoOf(error)})`;
  }
  const message = `the socket's directory ${directory} ${problem}; or put the socket into a directory of your own`;
  throw new LocalClientError("E_SOCKET_DIRECTORY", message);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: unknown): void => {
      server.off("listening", onListening);
      reject(isInUse(error) ? inUse(path, error) : cannotListen(path, error));
    };
    const onListening = (): void => {
      server.off("error", onError);
      resolve();
    };
    server.once("error", onError);
    server.once("listening", onListening);
    // The socket file is made within this call, with the mode that the umask leaves.
    const umask = process.umask(0o077);
    try {
      server.listen(path);
    } finally {
      process.umask(umask);
    }
  });
}

async function removeDead(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) {
    throw new LocalClientError("E_SOCKET_IN_USE", `${path} is no socket; move it away, or choose another path`);
  }
  if (await isAlive(path)) throw inUse(path);
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw cannotListen(path, error);
  }
}

/** Only a refusal says that nobody listens; a full queue or a missing permission may hide a living daemon. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(errnoOf(error))));
  });
}

function inUse(path: string, cause?: unknown): LocalClientError {
  const message = `another process listens on ${path}; stop it, or choose another path`;
  return new LocalClientError("E_SOCKET_IN_USE", message, { cause });
}

function isInUse(error: unknown): boolean {
  return errnoOf(error) === "EADDRINUSE" || (error instanceof LocalClientError && error.code === "E_SOCKET_IN_USE");
}

function cannotListen(path: string, cause: unknown): LocalClientError {
  const message = `cannot listen on ${path} (${errnoOf(cause)}); choose another path`;
  return new LocalClientError("E_SOCKET_DIRECTORY", message, { cause });
}
