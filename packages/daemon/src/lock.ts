import { randomBytes } from "node:crypto";
import { linkSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { errnoOf } from "./errno.ts";
import { DataDirError } from "./errors.ts";
import { localSocketPath } from "./socket-path.ts";

// A lock that the system frees when its holder dies, however it dies: a unix socket that the holder listens on. Whoever finds
// one that refuses connections takes it over.
//
// - A socket file exists from bind on but takes connections only from listen on. So it listens under a name of its own first
//   and is then linked to the lock's name: what is seen there has been listening, and a refusal means that its holder is gone.
// - Of two that find a dead lock, the slower must not remove the faster one's new lock. What is taken away is therefore first
//   renamed and looked at; a live one is put back. (A third starting within those microseconds could still slip in.)
// - The holder answers a connection with its process id, for the error message.

const NAME = "lock";
const ANSWER_MAX_BYTES = 16;
const ANSWER_TIMEOUT_MS = 500;
const TRIES = 5;

export type Lock = { release(): Promise<void> };

/** Takes the lock of a directory or throws `E_DATA_DIR_IN_USE`. */
export async function takeLock(directory: string): Promise<Lock> {
  return process.platform === "win32" ? takePipe(directory) : takeSocket(directory);
}

async function takeSocket(directory: string): Promise<Lock> {
  const path = join(directory, NAME);
  const ownPath = `${path}.${randomBytes(4).toString("hex")}`;
  const server = await listen(ownPath);
  const own = lstatSync(ownPath);
  try {
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (publish(ownPath, path)) {
        return { release: () => release(server, path, own) };
      }
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (!found.isSocket()) {
        throw new DataDirError("E_DATA_DIR_UNUSABLE", `${path} is not a lock of this program; move it away`);
      }
      const holder = await ask(path);
      if (holder !== "gone") throw inUse(directory, holder);
      removeDead(path, found);
    }
    throw inUse(directory, "unknown");
  } catch (error) {
    await close(server);
    throw error;
  } finally {
    unlinkIfThere(ownPath);
  }
}

/** Gives the listening socket the lock's name, unless something has it. */
function publish(ownPath: string, path: string): boolean {
  try {
    linkSync(ownPath, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function removeDead(path: string, dead: Stats): void {
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  if (!isSame(lstatSync(aside), dead)) publish(aside, path);
  unlinkIfThere(aside);
}

async function release(server: Server, path: string, own: Stats): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && isSame(found, own)) unlinkIfThere(path);
  await close(server);
}

async function takePipe(directory: string): Promise<Lock> {
  const path = localSocketPath(directory, NAME);
  try {
    const server = await listen(path);
    return { release: () => close(server) };
  } catch (error) {
    if (errnoOf(error) === "EADDRINUSE" || errnoOf(error) === "EACCES") throw inUse(directory, await ask(path));
    throw error;
  }
}

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(`${process.pid}\n`);
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => resolve(server));
    // The socket is made in this call, and its mode is the umask's.
    const umask = process.umask(0o077);
    try {
      server.listen(path);
    } finally {
      process.umask(umask);
    }
  });
}

/** The holder's process id, `gone` where nobody listens, `unknown` where somebody does and says nothing. */
function ask(path: string): Promise<number | "gone" | "unknown"> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let answer = "";
    socket.setEncoding("latin1").setTimeout(ANSWER_TIMEOUT_MS);
    const settle = (holder: number | "gone" | "unknown"): void => {
      socket.destroy();
      resolve(holder);
    };
    socket.once("timeout", () => settle("unknown"));
    // Only these two say that nobody is there; a full queue or a missing permission may hide a living holder.
    socket.once("error", (error) => settle(["ECONNREFUSED", "ENOENT"].includes(errnoOf(error)) ? "gone" : "unknown"));
    socket.on("data", (text) => {
      answer += String(text);
      if (answer.length > ANSWER_MAX_BYTES) settle("unknown");
    });
    socket.once("end", () => settle(/^\d+\n$/.test(answer) ? Number(answer) : "unknown"));
  });
}

function inUse(directory: string, holder: number | "gone" | "unknown"): DataDirError {
  const who = typeof holder === "number" ? `process ${holder}` : "another process";
  const advice = "stop that one, or give this one a directory of its own with --data-dir";
  return new DataDirError("E_DATA_DIR_IN_USE", `the data directory ${directory} is in use by ${who}; ${advice}`);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
