import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { concatBytes } from "../src/concat-bytes.ts";
import { hkdf } from "../src/hkdf.ts";
import { isNodeId } from "../src/node-id.ts";
import type { Primitives } from "../src/primitives.ts";
import { type Cacophony, runCacophony, runCacophonyInPublic } from "./cacophony.ts";
import { backends, hex, required, suites, unhex } from "./support.ts";

// Other people's test vectors, which are not kept in this repository: STARLING_VECTORS names the folder that has them.
const folder = process.env.STARLING_VECTORS;
const ran = new Map<string, number>();

/** Runs the body for every vector on both backends. A file that is missing or empty is a failure. */
function vectors<T>(file: string, list: (content: never) => readonly T[], body: (p: Primitives, v: T) => void): void {
  describe(file, () => {
    test.each(backends)("$name backend", (primitives) => {
      const all = list(JSON.parse(readFileSync(join(required(folder), file), "utf8")) as never);
      expect(all.length).toBeGreaterThan(0);
      for (const vector of all) {
        try {
          body(primitives, vector);
        } catch (error) {
          throw new Error(`vector ${JSON.stringify(vector)}`, { cause: error });
        }
      }
      ran.set(file, (ran.get(file) ?? 0) + all.length);
    });
  });
}

interface Groups<T> {
  readonly testGroups: readonly { readonly tests: readonly T[] }[];
}
interface Plain<T> {
  readonly vectors: readonly T[];
}
interface Result {
  readonly result: "valid" | "invalid" | "acceptable";
}

const inGroups = <T>(content: Groups<T>): readonly T[] => content.testGroups.flatMap((group) => group.tests);
const inList = <T>(content: Plain<T>): readonly T[] => content.vectors;

interface Gcm {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
  readonly plaintext: Uint8Array | undefined;
  readonly ciphertext: Uint8Array;
}

function runGcm(primitives: Primitives, { key, nonce, data, plaintext, ciphertext }: Gcm): void {
  const cipher = primitives.createCipher(key);
  expect(cipher.open(nonce, data, ciphertext)).toEqual(plaintext);
  if (plaintext !== undefined) expect(cipher.seal(nonce, data, plaintext)).toEqual(ciphertext);
}

interface Cavp {
  readonly Key: string;
  readonly IV: string;
  readonly AAD: string;
  readonly CT: string;
  readonly Tag: string;
  readonly PT?: string;
}

const runCavp = (primitives: Primitives, vector: Cavp): void =>
  runGcm(primitives, {
    key: unhex(vector.Key),
    nonce: unhex(vector.IV),
    data: unhex(vector.AAD),
    // The decryption file has no plaintext where the tag is wrong.
    plaintext: vector.PT === undefined ? undefined : unhex(vector.PT),
    ciphertext: unhex(vector.CT + vector.Tag),
  });

interface ScalarMultiplication {
  readonly k: string;
  readonly u: string;
  readonly n: number;
  readonly out: string;
}

interface Rfc7748 {
  readonly scalarmult: readonly { readonly k: string; readonly u: string; readonly out: string }[];
  readonly iterated: readonly { readonly start_k_and_u: string; readonly n: number; readonly out: string }[];
  readonly dh: readonly Readonly<Record<string, string>>[];
}

/** The million iterations of RFC 7748 §5.2 take a minute: they are left out. */
function listRfc7748({ scalarmult, iterated, dh }: Rfc7748): readonly ScalarMultiplication[] {
  return [
    ...scalarmult.map((vector) => ({ ...vector, n: 1 })),
    ...iterated
      .filter(({ n }) => n <= 1000)
      .map(({ start_k_and_u: start, n, out }) => ({ k: start, u: start, n, out })),
    ...dh.flatMap((vector) => {
      const { a_priv, a_pub, b_priv, b_pub, shared } = vector;
      return [
        { k: required(a_priv), u: required(b_pub), n: 1, out: required(shared) },
        { k: required(b_priv), u: required(a_pub), n: 1, out: required(shared) },
      ];
    }),
  ];
}

function runRfc7748({ keyPairFromSeed, importPublicKey }: Primitives, vector: ScalarMultiplication): void {
  let [k, u] = [unhex(vector.k), unhex(vector.u)];
  for (let round = 0; round < vector.n; round++) {
    [k, u] = [required(keyPairFromSeed(k).agree(importPublicKey(u))), k];
  }
  expect(hex(k)).toBe(vector.out);
}

function suite(): void {
  vectors(
    "noise_cacophony.json",
    (content: Plain<Cacophony>) => inList(content).filter((vector) => !vector.protocol_name.includes("psk")),
    (primitives, vector) => {
      runCacophony(primitives, vector);
      if (/^Noise_(N|X|XX|IK|KK)_/.test(vector.protocol_name)) runCacophonyInPublic(suites[primitives.name], vector);
    },
  );
  vectors("rfc7748_x25519.json", listRfc7748, runRfc7748);
  vectors(
    "wycheproof_x25519.json",
    inGroups<Result & { readonly public: string; readonly private: string; readonly shared: string }>,
    ({ keyPairFromSeed, importPublicKey }, vector) => {
      const secret = keyPairFromSeed(unhex(vector.private)).agree(importPublicKey(unhex(vector.public)));
      // "acceptable" are zeros, which we refuse, and other spellings of a key, which X25519 takes and a NodeId does not.
      if (/^0*$/.test(vector.shared)) expect(secret).toBeUndefined();
      else expect(hex(required(secret))).toBe(vector.shared);
      expect(vector.result).not.toBe("invalid");
    },
  );
  vectors(
    "x25519_low_order_points.json",
    ({ points }: { readonly points: readonly string[] }) => points,
    ({ keyPairFromSeed, importPublicKey }, point) => {
      expect(keyPairFromSeed(new Uint8Array(32).fill(7)).agree(importPublicKey(unhex(point)))).toBeUndefined();
      expect(isNodeId(point)).toBe(false);
    },
  );
  vectors(
    "wycheproof_aes256gcm_iv96_tag128.json",
    inGroups<Result & Readonly<Record<"key" | "iv" | "aad" | "msg" | "ct" | "tag", string>>>,
    (primitives, { key, iv, aad, msg, ct, tag, result }) =>
      runGcm(primitives, {
        key: unhex(key),
        nonce: unhex(iv),
        data: unhex(aad),
        plaintext: result === "valid" ? unhex(msg) : undefined,
        ciphertext: concatBytes(unhex(ct), unhex(tag)),
      }),
  );
  vectors("nist_cavp_gcm256_encrypt.json", inList<Cavp>, runCavp);
  vectors("nist_cavp_gcm256_decrypt.json", inList<Cavp>, runCavp);
  vectors(
    "rfc5869_hkdf_sha256.json",
    inList<Readonly<Record<"ikm" | "salt" | "info" | "prk" | "okm", string>> & { readonly L: number }>,
    (primitives, { ikm, salt, info, prk, okm, L }) => {
      expect(hex(primitives.createMac(unhex(salt))(unhex(ikm)))).toBe(prk);
      const input = { salt: unhex(salt), inputKey: unhex(ikm), info: unhex(info), sizeBytes: L };
      expect(hex(hkdf(primitives.createMac, input))).toBe(okm);
    },
  );
  vectors(
    "wycheproof_hkdf_sha256.json",
    inGroups<Result & Readonly<Record<"ikm" | "salt" | "info" | "okm", string>> & { readonly size: number }>,
    (primitives, { ikm, salt, info, okm, size, result }) => {
      const input = { salt: unhex(salt), inputKey: unhex(ikm), info: unhex(info), sizeBytes: size };
      if (result === "valid") expect(hex(hkdf(primitives.createMac, input))).toBe(okm);
      else expect(() => hkdf(primitives.createMac, input)).toThrow(expect.objectContaining({ code: "E_BAD_SIZE" }));
    },
  );
  vectors(
    "wycheproof_hmac_sha256.json",
    inGroups<Result & Readonly<Record<"key" | "msg" | "tag", string>>>,
    ({ createMac, equalBytes }, { key, msg, tag, result }) => {
      const [full, given] = [createMac(unhex(key))(unhex(msg)), unhex(tag)];
      expect(equalBytes(full.slice(0, given.length), given)).toBe(result === "valid");
    },
  );
  afterAll(() => {
    for (const [file, runs] of ran)
      process.stdout.write(`vectors: ${file}: ${runs} runs on ${backends.length} backends\n`);
  });
}

if (folder === undefined || folder === "") {
  test.skip("third-party vectors: set STARLING_VECTORS to a folder of them", () => {});
} else if (!existsSync(folder)) {
  test("STARLING_VECTORS names a folder that is there", () => {
    throw new Error("the folder that STARLING_VECTORS names does not exist");
  });
} else {
  suite();
}
