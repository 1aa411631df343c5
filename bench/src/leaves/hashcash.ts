import { hash } from "node:crypto";
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { solve_pow } from "@cap.js/wasm";
import { sha256 } from "@noble/hashes/sha2.js";
import { createMint, MAX_EFFORT, type MintTask, mintKernelName, verifyStamp } from "@starling/hashcash";
import { createMintPool, type MintPool } from "@starling/hashcash/pool";
import { type Figure, median, number } from "../figure.ts";
import { type Candidate, race, ratios } from "../race.ts";
import { versionOf } from "../version-of.ts";
import { debianHashcash, startNativeMint } from "./native-mint.ts";

// What a hash costs here and elsewhere. Minting is measured as it is shipped: a pool, its chunks and messages, stamps that are
// found; each peer as its own documentation says it is used, on one thread like the pool's one worker.

const ROUNDS = 7;
const ROUND_MS = 300;
/** Hashes until a rate is read off a mint that never ends; a chunk more or less is then 2 %, on both sides alike. */
const WORKER_HASHES = 2 ** 22;
const NOBLE_NONCES = 5000;
const VERIFIES = 20_000;
/** Its nonces are counted from 0, so each salt has its number of hashes. */
const CAP_SALTS = ["2f1de3c8b09a47d65c7e", "81c04b7fa2e95d3360fe", "d97a15e2c4806fb13a5d"];
const CAP_TARGET = "0000";

/** Found after 3.5 million hashes. */
const task: MintTask = { digest: sha256(new Uint8Array(32).fill(5)), effort: 2 ** 22, startNonce: new Uint8Array(8) };

export async function hashcash(progress: (done: number, of: number) => void): Promise<Figure[]> {
  const first = firstNonce(task);
  const stamp = { digest: task.digest, effort: task.effort, nonce: first.nonce, floor: task.effort };
  const input = inputOf(task, first.nonce);
  const capHashes = CAP_SALTS.reduce((sum, salt) => sum + Number(solve_pow(salt, CAP_TARGET)) + 1, 0);
  const native = await startNativeMint();
  const one = createMintPool({ workers: 1 });
  const two = createMintPool({ workers: 2 });
  const candidates = {
    mint: {
      operations: first.hashes,
      run: async () => requireSame(first, await one.mint(task)),
    },
    openssl: {
      operations: first.hashes,
      run: async () => {
        if (typeof native === "string") return;
        const { nonce, hashes } = await native.mint(task);
        requireSame(first, { nonce: Uint8Array.from(Buffer.from(nonce, "hex")), hashes });
      },
    },
    noble: { operations: NOBLE_NONCES, run: () => nobleNonces(input) },
    nobleMidstate: { operations: NOBLE_NONCES, run: () => nobleNoncesFromMidstate(input) },
    cap: { operations: capHashes, run: () => CAP_SALTS.forEach((salt) => void solve_pow(salt, CAP_TARGET)) },
    oneWorker: { operations: WORKER_HASHES, run: () => hashesOf(one, WORKER_HASHES) },
    twoWorkers: { operations: 2 * WORKER_HASHES, run: () => hashesOf(two, 2 * WORKER_HASHES) },
    verify: { operations: VERIFIES, run: () => times(VERIFIES, () => verifyStamp(stamp)) },
    nodeHash: { operations: VERIFIES, run: () => times(VERIFIES, () => hash("sha256", input, "hex")) },
  } satisfies Record<string, Candidate>;

  const { rates } = await race(candidates, { rounds: ROUNDS, roundMs: ROUND_MS, progress });
  const held = await eventLoopDelays(one);
  await Promise.all([one.close(), two.close(), typeof native === "string" ? undefined : native.stop()]);
  const debian = debianHashcash();
  const debianRate = median(debian?.rates ?? []);

  const side = (name: keyof typeof rates, what: string): string => `${what} ${perSecond(median(rates[name]))}`;
  const ours = side("mint", `${mintKernelName()}, one worker`);
  const node = `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`;
  const noble = versionOf("@noble/hashes");
  return [
    {
      name: "hashcash: mint with one worker, over a C loop on OpenSSL from the midstate",
      unit: "x",
      target: { atLeast: 0.65 },
      ...(typeof native === "string"
        ? { samples: [], skipped: native }
        : { samples: ratios(rates.mint, rates.openssl), ours, peer: side("openssl", `${native.version} in C`) }),
    },
    {
      name: "hashcash: mint with one worker, over noble's sha256 of each nonce",
      unit: "x",
      samples: ratios(rates.mint, rates.noble),
      target: { atLeast: 14 },
      ours,
      peer: side("noble", noble),
    },
    {
      name: "hashcash: mint with one worker, over noble's sha256 cloned from the midstate",
      unit: "x",
      samples: ratios(rates.mint, rates.nobleMidstate),
      ours,
      peer: side("nobleMidstate", noble),
    },
    {
      name: "hashcash: mint with one worker, over Cap's WebAssembly solver (SHA-256 of one block)",
      unit: "x",
      samples: ratios(rates.mint, rates.cap),
      ours,
      peer: side("cap", versionOf("@cap.js/wasm")),
    },
    {
      name: "hashcash: mint with one worker, over Debian's hashcash -s (SHA-1)",
      unit: "x",
      ...(debian === undefined
        ? { samples: [], skipped: "it is not installed here" }
        : {
            samples: rates.mint.map((rate) => rate / debianRate),
            ours,
            peer: `hashcash ${debian.version} ${perSecond(debianRate)}`,
          }),
    },
    {
      name: "hashcash: two workers, over one",
      unit: "x",
      target: { atLeast: 1.85 },
      ...(availableParallelism() < 2
        ? { samples: [], skipped: "there is one core here" }
        : {
            samples: ratios(rates.twoWorkers, rates.oneWorker),
            ours: side("twoWorkers", "two"),
            peer: side("oneWorker", "one"),
          }),
    },
    {
      name: "hashcash: verify, over crypto.hash of the same 72 bytes",
      unit: "x",
      samples: ratios(rates.verify, rates.nodeHash),
      ours: side("verify", "verifyStamp"),
      peer: side("nodeHash", node),
    },
    {
      name: "hashcash: longest that a timer of the caller was late while a worker minted",
      unit: "ms",
      samples: held,
      target: { atMost: 5 },
    },
  ];
}

type Found = { readonly nonce: Uint8Array; readonly hashes: number };

function firstNonce(wanted: MintTask): Found {
  const mint = createMint(wanted);
  const nonce = mint.run(64 * wanted.effort);
  if (nonce === undefined) throw new Error("no nonce");
  return { nonce, hashes: mint.hashes };
}

/** A peer that found another nonce did other work. */
function requireSame(expected: Found, found: Found): void {
  if (expected.hashes === found.hashes && Buffer.compare(expected.nonce, found.nonce) === 0) return;
  throw new Error(`found ${Buffer.from(found.nonce).toString("hex")} after ${found.hashes} hashes`);
}

/** The 72 bytes that a stamp hashes. */
function inputOf({ digest, effort }: MintTask, nonce: Uint8Array): Uint8Array {
  const input = Buffer.alloc(72);
  input.write("starling stamp v1");
  input.set(digest, 24);
  input.writeBigUInt64BE(BigInt(effort), 56);
  input.set(nonce, 64);
  return input;
}

function nobleNonces(input: Uint8Array): number {
  const bytes = Uint8Array.from(input);
  const view = new DataView(bytes.buffer);
  let least = 2 ** 32;
  for (let nonce = 0; nonce < NOBLE_NONCES; nonce += 1) {
    view.setUint32(68, nonce);
    const digest = sha256(bytes);
    least = Math.min(least, new DataView(digest.buffer, digest.byteOffset).getUint32(0));
  }
  return least;
}

function nobleNoncesFromMidstate(input: Uint8Array): number {
  const midstate = sha256.create().update(input.subarray(0, 64));
  const last = input.slice(64);
  const view = new DataView(last.buffer);
  const state = midstate.clone();
  const digest = new Uint8Array(32);
  const head = new DataView(digest.buffer);
  let least = 2 ** 32;
  for (let nonce = 0; nonce < NOBLE_NONCES; nonce += 1) {
    view.setUint32(4, nonce);
    midstate._cloneInto(state).update(last).digestInto(digest);
    least = Math.min(least, head.getUint32(0));
  }
  return least;
}

/** Mints what is never found until so many hashes have been tried. */
async function hashesOf(pool: MintPool, hashes: number): Promise<void> {
  const abort = new AbortController();
  await pool
    .mint({
      ...task,
      effort: MAX_EFFORT,
      signal: abort.signal,
      onProgress: (progress) => progress.hashes >= hashes && abort.abort(),
    })
    .catch(() => undefined);
}

/** Milliseconds beyond its resolution that a timer was late at most, a number a mint. */
async function eventLoopDelays(pool: MintPool): Promise<number[]> {
  const late: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    await hashesOf(pool, WORKER_HASHES);
    delays.disable();
    late.push(Math.max(0, delays.max / 1e6 - 1));
  }
  return late;
}

function times(count: number, run: () => unknown): void {
  for (let index = 0; index < count; index += 1) run();
}

function perSecond(rate: number): string {
  return `${number(rate / 1e6)} M/s`;
}
