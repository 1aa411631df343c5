import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, scrypt } from "node:crypto";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { SEED_BYTES } from "./identity.ts";
import { isNodeId, type NodeId } from "./node-id.ts";
import { drawRandom, type RandomSource } from "./random.ts";

// Node only. The text of a key file, JSON:
//
//   version     1
//   type        "starling-identity"
//   id          the NodeId, for people; it must belong to the seed
//   seed        64 hex digits, where there is no passphrase
//   encrypted   in its stead: kdf "scrypt" with cost, blockSize, parallelization and salt (16 bytes, hex);
//               cipher "aes-256-gcm" with nonce (12 bytes, hex) and ciphertext (seed and 16-byte tag, hex). The
//               associated data is "starling-identity 1 <id>"; the passphrase is NFKC, UTF-8.

const VERSION = 1;
const TYPE = "starling-identity";
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** 32 MiB and some 0.2 s a guess, the strength that OWASP's password storage sheet asks of scrypt. */
const SCRYPT = { cost: 32_768, blockSize: 8, parallelization: 3 } as const;
/** A damaged file must not order gigabytes of memory. */
const MAX_SCRYPT_BYTES = 512 * 1024 * 1024;
const MAX_PARALLELIZATION = 16;
const HEX = /^(?:[0-9a-f]{2})*$/;

interface ScryptParameters {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

interface EncryptedSeed extends ScryptParameters {
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface KeyFileContent {
  readonly id: NodeId;
  readonly secret: { readonly seed: Uint8Array } | { readonly encrypted: EncryptedSeed };
}

function scryptBytes({ cost, blockSize }: ScryptParameters): number {
  return 128 * cost * blockSize;
}

function deriveKey(passphrase: string, salt: Uint8Array, parameters: ScryptParameters): Promise<KeyObject> {
  const { cost, blockSize, parallelization } = parameters;
  // What OpenSSL counts: the blocks of each lane beside the one table.
  const maxmem = 2 * scryptBytes(parameters) + 256 * blockSize * parallelization;
  const options = { cost, blockSize, parallelization, maxmem };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, options, (error, key) => {
      if (error !== null) return reject(error);
      resolve(createSecretKey(key));
      key.fill(0);
    });
  });
}

function associatedData(id: NodeId): Uint8Array {
  return new TextEncoder().encode(`${TYPE} ${VERSION} ${id}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hexField(value: unknown, sizeBytes: number): Uint8Array | undefined {
  return typeof value === "string" && value.length === 2 * sizeBytes && HEX.test(value) ? hexToBytes(value) : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function parseEncrypted(value: unknown): EncryptedSeed | undefined {
  if (!isRecord(value) || value.kdf !== "scrypt" || value.cipher !== "aes-256-gcm") return undefined;
  const { cost, blockSize, parallelization } = value;
  if (!isCount(cost) || !isCount(blockSize) || !isCount(parallelization)) return undefined;
  // RFC 7914 §2: the cost is a power of two above 1, and below 2^(16 x blockSize).
  if (cost >= 2 ** (16 * blockSize)) return undefined;
  if (cost < 2 || !Number.isInteger(Math.log2(cost)) || parallelization > MAX_PARALLELIZATION) return undefined;
  if (scryptBytes({ cost, blockSize, parallelization }) > MAX_SCRYPT_BYTES) return undefined;
  const salt = hexField(value.salt, SALT_BYTES);
  const nonce = hexField(value.nonce, NONCE_BYTES);
  const ciphertext = hexField(value.ciphertext, SEED_BYTES + TAG_BYTES);
  if (salt === undefined || nonce === undefined || ciphertext === undefined) return undefined;
  return { cost, blockSize, parallelization, salt, nonce, ciphertext };
}

/** undefined where the text is not a key file of this version. */
export function parseKeyFile(text: string): KeyFileContent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.version !== VERSION || value.type !== TYPE) return undefined;
  const id = value.id;
  if (!isNodeId(id)) return undefined;
  // Exactly one of the two.
  if ((value.seed === undefined) === (value.encrypted === undefined)) return undefined;
  const seed = hexField(value.seed, SEED_BYTES);
  if (seed !== undefined) return { id, secret: { seed } };
  const encrypted = parseEncrypted(value.encrypted);
  return encrypted && { id, secret: { encrypted } };
}

export async function formatKeyFile(
  id: NodeId,
  seed: Uint8Array,
  passphrase: string | undefined,
  random: RandomSource,
): Promise<string> {
  const head = { version: VERSION, type: TYPE, id };
  if (passphrase === undefined) return `${JSON.stringify({ ...head, seed: bytesToHex(seed) }, null, 2)}\n`;
  const salt = drawRandom(random, SALT_BYTES);
  const nonce = drawRandom(random, NONCE_BYTES);
  const key = await deriveKey(passphrase, salt, SCRYPT);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(associatedData(id));
  const ciphertext = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]).toString("hex");
  const encrypted = {
    kdf: "scrypt",
    ...SCRYPT,
    salt: bytesToHex(salt),
    cipher: "aes-256-gcm",
    nonce: bytesToHex(nonce),
    ciphertext,
  };
  return `${JSON.stringify({ ...head, encrypted }, null, 2)}\n`;
}

/** The seed; undefined where the passphrase is not the one that it was encrypted with. */
export async function decryptSeed(
  id: NodeId,
  encrypted: EncryptedSeed,
  passphrase: string,
): Promise<Uint8Array | undefined> {
  const key = await deriveKey(passphrase, encrypted.salt, encrypted);
  const decipher = createDecipheriv("aes-256-gcm", key, encrypted.nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(id)).setAuthTag(encrypted.ciphertext.subarray(SEED_BYTES));
  const seed = decipher.update(encrypted.ciphertext.subarray(0, SEED_BYTES));
  try {
    decipher.final();
    return Uint8Array.from(seed);
  } catch {
    return undefined;
  } finally {
    seed.fill(0);
  }
}
