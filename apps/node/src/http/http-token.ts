import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import type { RandomSource } from "@starling/crypto-identity";

// What a program has to show that comes over HTTP, where a port is open to every user and every page of this machine: a file that
// only this user can read. It stays the same over restarts, so that an open page finds the node again.

/** In the data directory. */
export const TOKEN_FILE = "http-token";
const TOKEN = /^[0-9a-f]{64}$/;

/** Reads the token, or makes one where there is none or what is there is damaged. Rejects with the system's error. */
export async function loadOrCreateToken(path: string, random: RandomSource): Promise<string> {
  const known = await readFile(path, "latin1").catch(() => "");
  if (TOKEN.test(known.trimEnd())) {
    await chmod(path, 0o600);
    return known.trimEnd();
  }
  const token = Buffer.from(random(32)).toString("hex");
  // The directory is locked by this process: nobody else writes the temporary name.
  await writeFile(`${path}.new`, `${token}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return token;
}
