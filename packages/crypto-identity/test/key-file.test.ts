import { createCipheriv, scryptSync } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { IdentityError, type IdentityErrorCode, identityFromSeed, seedOf } from "@starling/crypto-identity";
import { loadOrCreateKeyFile, readKeyFile } from "@starling/crypto-identity/key-file";
import { decryptSeed, formatKeyFile, parseKeyFile } from "../src/key-file-format.ts";
import { checkKeyFileStatus } from "../src/key-file-status.ts";
import { storeOnce } from "../src/store-once.ts";
import { flipBit, hex, seededRandom, unhex } from "./support.ts";

const isPosix = process.platform !== "win32";
const isRoot = process.getuid?.() === 0;
// Windows has no modes of files; root may read what nobody else may, and only root gives a file to another user.
const onPosix = isPosix ? test : test.skip;
const asUser = isPosix && !isRoot ? test : test.skip;
const asRoot = isPosix && isRoot ? test : test.skip;

let root: string;
let directory: string;
let path: string;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "starling-key-file-"));
});
beforeEach(async () => {
  directory = join(root, String(count++));
  await mkdir(directory);
  path = join(directory, "node.key");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const random = seededRandom("key file");
const seed = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const id = identityFromSeed(seed).id;
const plain = { version: 1, type: "starling-identity", id, seed: hex(seed) };

async function put(content: unknown, mode = 0o600): Promise<void> {
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content), { mode });
  await chmod(path, mode);
}

/** The error, once it is what it should be: typed, naming the path, and holding nothing of the key. */
async function refusal(attempt: Promise<unknown>, code: IdentityErrorCode): Promise<IdentityError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof IdentityError)) throw new Error(`expected ${code}, got ${String(error)}`);
  expect(error.code).toBe(code);
  expect(error.message).toContain(path);
  expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain(hex(seed));
  return error;
}

describe("loadOrCreateKeyFile", () => {
  test("makes one key, and finds it again", async () => {
    const first = await loadOrCreateKeyFile(path, { random });
    expect(first.created).toBe(true);
    const second = await loadOrCreateKeyFile(path, { random });
    expect(second).toEqual({ identity: { id: first.identity.id }, created: false });
    expect(hex(seedOf(second.identity))).toBe(hex(seedOf(first.identity)));
    expect((await readKeyFile(path)).id).toBe(first.identity.id);
    expect(await readdir(directory)).toEqual(["node.key"]);
  });

  onPosix("the file is private, whatever the umask", async () => {
    const before = process.umask(0o000);
    try {
      await loadOrCreateKeyFile(path, { random });
    } finally {
      process.umask(before);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("of many at once all end with the one key", async () => {
    const loaded = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKeyFile(path, { random })));
    expect(new Set(loaded.map(({ identity }) => identity.id)).size).toBe(1);
    expect(loaded.filter(({ created }) => created)).toHaveLength(1);
    expect(await readdir(directory)).toEqual(["node.key"]);
  });

  test("never touches a file that it cannot use", async () => {
    for (const content of ["", "{", "not a key", "{}", { ...plain, version: 2 }]) {
      await put(content);
      const before = await readFile(path, "utf8");
      await refusal(loadOrCreateKeyFile(path, { random }), "E_KEY_FILE_DAMAGED");
      expect(await readFile(path, "utf8")).toBe(before);
    }
    expect(await readdir(directory)).toEqual(["node.key"]);
  });

  test("says so where there is no such directory", async () => {
    path = join(directory, "missing", "node.key");
    await refusal(loadOrCreateKeyFile(path, { random }), "E_KEY_FILE_UNWRITABLE");
    path = join(directory, "file");
    await writeFile(path, "");
    path = join(path, "node.key");
    await refusal(loadOrCreateKeyFile(path, { random }), "E_KEY_FILE_UNREADABLE");
  });

  asUser("says so where the directory is read-only", async () => {
    await chmod(directory, 0o500);
    await refusal(loadOrCreateKeyFile(path, { random }), "E_KEY_FILE_UNWRITABLE");
    await chmod(directory, 0o700);
  });

  onPosix("puts nothing in the place of a dangling link", async () => {
    await symlink(join(directory, "nowhere"), path);
    await refusal(loadOrCreateKeyFile(path, { random }), "E_KEY_FILE_MISSING");
    expect(await readdir(directory)).toEqual(["node.key"]);
  });
});

describe("readKeyFile refuses", () => {
  test("a file that is not there", async () => {
    await refusal(readKeyFile(path), "E_KEY_FILE_MISSING");
  });

  onPosix.each([0o640, 0o604, 0o660, 0o610, 0o602, 0o777])("mode %i", async (mode) => {
    await put(plain, mode);
    const error = await refusal(readKeyFile(path), "E_KEY_FILE_PERMISSIONS");
    expect(error.message).toContain(`chmod 600 ${path}`);
    await chmod(path, 0o400);
    expect((await readKeyFile(path)).id).toBe(id);
  });

  asRoot("a file of another user", async () => {
    await put(plain);
    await chown(path, 1, 1);
    await refusal(readKeyFile(path), "E_KEY_FILE_FOREIGN");
  });

  test("a file of another user, by its status", () => {
    const status = { uid: 1000, mode: 0o100600, isFile: true, sizeBytes: 100 };
    expect(() => checkKeyFileStatus("/k", status, 1001)).toThrow(
      expect.objectContaining({ code: "E_KEY_FILE_FOREIGN" }),
    );
    expect(() => checkKeyFileStatus("/k", status, 1000)).not.toThrow();
    // Windows has neither uids nor such modes.
    expect(() => checkKeyFileStatus("/k", { ...status, uid: 0, mode: 0o100666 }, undefined)).not.toThrow();
  });

  asUser("a file without permission to read it", async () => {
    await put(plain, 0o000);
    await refusal(readKeyFile(path), "E_KEY_FILE_UNREADABLE");
  });

  test("a directory", async () => {
    await mkdir(path);
    await refusal(readKeyFile(path), "E_KEY_FILE_UNREADABLE");
  });

  test("what is no key file", async () => {
    const other = identityFromSeed(new Uint8Array(32).fill(5));
    const cases: unknown[] = [
      "",
      "null",
      "[]",
      "5",
      JSON.stringify(plain).slice(0, -1),
      `${"x".repeat(20_000)}`,
      { ...plain, version: "1" },
      { ...plain, type: "other" },
      { ...plain, id: undefined },
      { ...plain, id: id.toUpperCase() },
      { ...plain, id: other.id },
      { ...plain, seed: undefined },
      { ...plain, seed: hex(seed).toUpperCase() },
      { ...plain, seed: hex(seed).slice(2) },
      { ...plain, seed: `${hex(seed).slice(1)}z` },
      { ...plain, seed: [hex(seed)] },
      { ...plain, encrypted: {} },
      { ...plain, seed: undefined, encrypted: null },
    ];
    for (const content of cases) {
      await put(content);
      await refusal(readKeyFile(path), "E_KEY_FILE_DAMAGED");
    }
  });
});

describe("a passphrase", () => {
  const passphrase = "correct horse \u212b";

  test("encrypts the seed, and is needed, right, and no other", async () => {
    const { identity, created } = await loadOrCreateKeyFile(path, { random, passphrase });
    expect(created).toBe(true);
    const text = await readFile(path, "utf8");
    expect(text).not.toContain(hex(seedOf(identity)));
    expect(text).not.toContain("seed");
    // The same letter in another composition.
    const again = await readKeyFile(path, { passphrase: "correct horse A\u030a" });
    expect(hex(seedOf(again))).toBe(hex(seedOf(identity)));
    expect(await loadOrCreateKeyFile(path, { random, passphrase })).toMatchObject({ created: false });
    await refusal(readKeyFile(path), "E_KEY_FILE_PASSPHRASE");
    await refusal(readKeyFile(path, { passphrase: "wrong" }), "E_KEY_FILE_PASSPHRASE");
    // Another id in front of the same secret.
    await put({ ...JSON.parse(text), id });
    await refusal(readKeyFile(path, { passphrase }), "E_KEY_FILE_PASSPHRASE");
    expect(await readdir(directory)).toEqual(["node.key"]);
  }, 60_000);

  test("must not be empty, nor given for a file without", async () => {
    await refusal(loadOrCreateKeyFile(path, { random, passphrase: "" }), "E_KEY_FILE_PASSPHRASE");
    expect(await readdir(directory)).toEqual([]);
    await put(plain);
    await refusal(readKeyFile(path, { passphrase }), "E_KEY_FILE_PASSPHRASE");
  });

  test("a file cannot order unbounded work", () => {
    const encrypted = {
      kdf: "scrypt",
      cost: 32_768,
      blockSize: 8,
      parallelization: 3,
      salt: "00".repeat(16),
      cipher: "aes-256-gcm",
      nonce: "00".repeat(12),
      ciphertext: "00".repeat(48),
    };
    const parse = (changes: object): unknown =>
      parseKeyFile(JSON.stringify({ ...plain, seed: undefined, encrypted: { ...encrypted, ...changes } }));
    expect(parse({})).toMatchObject({ id, secret: { encrypted: { cost: 32_768 } } });
    const bad = [
      { cost: 2 ** 30 },
      { cost: 1 },
      { cost: 32_767 },
      { cost: -32_768 },
      { cost: "32768" },
      { blockSize: 2 ** 20 },
      { blockSize: 0 },
      { parallelization: 17 },
      { cost: 65_536, blockSize: 1 },
      { parallelization: 1.5 },
      { kdf: "none" },
      { cipher: "aes-256-ctr" },
      { salt: "00".repeat(15) },
      { nonce: "00".repeat(13) },
      { ciphertext: "00".repeat(32) },
    ];
    for (const changes of bad) expect(parse(changes)).toBeUndefined();
  });
});

describe("a key file with a flipped bit", () => {
  /** The identity's id where the file is taken for whole, by the parts of which readKeyFile is made. */
  async function idOf(text: string, passphrase: string): Promise<string | undefined> {
    const content = parseKeyFile(text);
    if (content === undefined) return undefined;
    const { id: claimed, secret } = content;
    const found = "seed" in secret ? secret.seed : await decryptSeed(claimed, secret.encrypted, passphrase);
    const identity = found && identityFromSeed(found);
    return identity?.id === claimed ? claimed : undefined;
  }

  function* flips(text: string): Generator<string> {
    const bytes = new TextEncoder().encode(text);
    for (let bit = 0; bit < bytes.length * 8; bit++) yield new TextDecoder().decode(flipBit(bytes, bit));
  }

  test("in plain is refused, but for the five bits that are no part of an X25519 key", async () => {
    const text = await formatKeyFile(id, seed, undefined, random);
    expect(await idOf(text, "")).toBe(id);
    const taken: string[] = [];
    for (const flipped of flips(text)) {
      const found = await idOf(flipped, "");
      if (found !== undefined) taken.push(found);
    }
    // The fifth would make a digit that is none.
    expect(taken).toEqual([id, id, id, id]);
  });

  test("encrypted is refused, every bit", async () => {
    // As formatKeyFile writes it, but for a cheap scrypt: there are thousands of bits to try.
    const [salt, nonce, passphrase] = [random(16), random(12), "a passphrase"];
    const parameters = { cost: 2, blockSize: 1, parallelization: 1 };
    const key = scryptSync(passphrase, salt, 32, parameters);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(`starling-identity 1 ${id}`));
    const ciphertext = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]).toString("hex");
    const encrypted = {
      kdf: "scrypt",
      ...parameters,
      salt: hex(salt),
      cipher: "aes-256-gcm",
      nonce: hex(nonce),
      ciphertext,
    };
    const text = JSON.stringify({ version: 1, type: "starling-identity", id, encrypted }, null, 2);
    expect(await idOf(text, passphrase)).toBe(id);
    for (const flipped of flips(text)) expect(await idOf(flipped, passphrase)).toBeUndefined();
  }, 60_000);
});

describe("storeOnce", () => {
  const withoutLinks = async (): Promise<void> => {
    throw Object.assign(new Error("no hard links here"), { code: "EPERM" });
  };

  test.each([
    ["with hard links", undefined],
    ["where the file system has none", withoutLinks],
  ])("%s: writes once, replaces nothing, leaves nothing behind", async (_name, linkFile) => {
    const temporary = join(directory, "temporary");
    expect(await storeOnce(path, temporary, "first", linkFile)).toBe(true);
    expect(await storeOnce(path, temporary, "second", linkFile)).toBe(false);
    expect(await readFile(path, "utf8")).toBe("first");
    expect(await readdir(directory)).toEqual(["node.key"]);
    if (isPosix) expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("a failure leaves nothing behind", async () => {
    const full = async (): Promise<void> => {
      throw Object.assign(new Error("disk full"), { code: "ENOSPC" });
    };
    await expect(storeOnce(path, join(directory, "temporary"), "x", full)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readdir(directory)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ["a text", "no links"],
    ["an error without a code", new Error("no links")],
    ["an error whose code is a number", Object.assign(new Error("no links"), { code: 1 })],
  ])("%s that a system throws in place of an error of its own is passed on", async (_name, thrown) => {
    const odd = (): Promise<void> => Promise.reject(thrown);
    await expect(storeOnce(path, join(directory, "temporary"), "x", odd)).rejects.toBe(thrown);
    expect(await readdir(directory)).toEqual([]);
  });
});
