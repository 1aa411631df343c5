import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { bytesToHex } from "@noble/hashes/utils.js";
import { generateIdentity, identityFromSeed, seedOf } from "./default-suite.ts";
import { IdentityError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { decryptSeed, formatKeyFile, type KeyFileContent, parseKeyFile } from "./key-file-format.ts";
import { checkKeyFileStatus, damaged } from "./key-file-status.ts";
import { drawRandom, type RandomSource } from "./random.ts";
import { errnoOf, storeOnce } from "./store-once.ts";

// Node only. Where an identity lives between two runs: a file that only its owner may read, made once and never
// overwritten. Error messages name the path and never what is in the file.

const TEMPORARY_NAME_BYTES = 8;

/** How a key file is read. */
export interface ReadKeyFileOptions {
  /** Given exactly where the file is encrypted. */
  readonly passphrase?: string | undefined;
}

/** How a key file is read, and made where there is none: `random` draws the 32-byte seed. */
export interface LoadOrCreateKeyFileOptions extends ReadKeyFileOptions {
  readonly random: RandomSource;
}

/** What is in a key file. */
export interface LoadedKeyFile {
  readonly identity: Identity;
  /** Whether the file was made by this call. */
  readonly created: boolean;
}

function inaccessible(path: string, error: unknown, code: "E_KEY_FILE_UNREADABLE" | "E_KEY_FILE_UNWRITABLE"): never {
  if (error instanceof IdentityError) throw error;
  const errno = errnoOf(error) ?? "unknown error";
  if (errno === "ENOENT" && code === "E_KEY_FILE_UNREADABLE") {
    throw new IdentityError("E_KEY_FILE_MISSING", `${path} does not exist`, { cause: error });
  }
  const advice =
    code === "E_KEY_FILE_UNREADABLE"
      ? "check that this user may read it and enter its directory"
      : "check that its directory exists, has space and may be written to by this user";
  const verb = code === "E_KEY_FILE_UNREADABLE" ? "read" : "created";
  throw new IdentityError(code, `${path} cannot be ${verb} (${errno}); ${advice}`, { cause: error });
}

async function readPrivately(path: string): Promise<string> {
  try {
    // Not blocking, or a pipe under this name would hang the start. The status is the opened file's own, so nobody can
    // exchange the file between the check and the reading.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = await handle.stat();
      const status = { uid: stat.uid, mode: stat.mode, isFile: stat.isFile(), sizeBytes: stat.size };
      checkKeyFileStatus(path, status, process.getuid?.());
      return await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    return inaccessible(path, error, "E_KEY_FILE_UNREADABLE");
  }
}

async function unlock(path: string, content: KeyFileContent, passphrase: string | undefined): Promise<Uint8Array> {
  const { id, secret } = content;
  if ("seed" in secret) {
    if (passphrase === undefined) return secret.seed;
    throw new IdentityError(
      "E_KEY_FILE_PASSPHRASE",
      `${path} is not encrypted, yet a passphrase was given; leave the passphrase out`,
    );
  }
  if (passphrase === undefined) {
    throw new IdentityError("E_KEY_FILE_PASSPHRASE", `${path} is encrypted; give its passphrase`);
  }
  const seed = await decryptSeed(id, secret.encrypted, passphrase);
  if (seed !== undefined) return seed;
  throw new IdentityError("E_KEY_FILE_PASSPHRASE", `the passphrase does not open ${path} (or the file was altered)`);
}

/**
 * Reads a key file. Throws `E_KEY_FILE_MISSING`, `_UNREADABLE`, `_PERMISSIONS` (others can read it), `_FOREIGN` (it
 * belongs to another user), `_DAMAGED` or `_PASSPHRASE` (needed, wrong, or given for a file that has none).
 */
export async function readKeyFile(path: string, options: ReadKeyFileOptions = {}): Promise<Identity> {
  const content = parseKeyFile(await readPrivately(path));
  if (content === undefined) throw damaged(path, "is not a Starling key file");
  const seed = await unlock(path, content, options.passphrase);
  const identity = identityFromSeed(seed);
  seed.fill(0);
  if (identity.id !== content.id) throw damaged(path, "holds a key that does not belong to the id in it");
  return identity;
}

/**
 * Reads a key file, or makes one with a new identity where there is none. Of two processes that make it at once, both end
 * with the one key that is on disk. Throws as `readKeyFile` does, and `E_KEY_FILE_UNWRITABLE`.
 */
export async function loadOrCreateKeyFile(path: string, options: LoadOrCreateKeyFileOptions): Promise<LoadedKeyFile> {
  const { random, passphrase } = options;
  if (passphrase === "") throw new IdentityError("E_KEY_FILE_PASSPHRASE", `the passphrase for ${path} is empty`);
  try {
    return { identity: await readKeyFile(path, { passphrase }), created: false };
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== "E_KEY_FILE_MISSING") throw error;
  }
  const identity = generateIdentity(random);
  const seed = seedOf(identity);
  const content = await formatKeyFile(identity.id, seed, passphrase, random);
  seed.fill(0);
  const suffix = bytesToHex(drawRandom(random, TEMPORARY_NAME_BYTES));
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  try {
    if (await storeOnce(path, temporary, content)) return { identity, created: true };
  } catch (error) {
    return inaccessible(path, error, "E_KEY_FILE_UNWRITABLE");
  }
  return { identity: await readKeyFile(path, { passphrase }), created: false };
}
