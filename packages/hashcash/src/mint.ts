import { requireBytes, requireInteger, requireObject } from "./arguments.ts";
import { highTarget, MAX_EFFORT, satisfies } from "./effort.ts";
import { type Kernel, MAX_TRIES } from "./kernel.ts";
import { bestKernel } from "./kernel-choice.ts";
import { DIGEST_BYTES, NONCE_BYTES, readWord, writeMidstate, writeStampHash } from "./stamp-input.ts";

/** What to mint. */
export interface MintTask {
  /** SHA-256 over what is stamped, 32 bytes. */
  readonly digest: Uint8Array;
  /** Expected number of hashes, an integer from 1 to MAX_EFFORT. */
  readonly effort: number;
  /** Where to begin, 8 bytes; random, so that two mints of one digest do not repeat each other's work. */
  readonly startNonce: Uint8Array;
}

/** A search for a nonce that can stop and go on: `run` it in slices, on whatever thread can spare the time. */
export interface Mint {
  /** Hashes tried so far. */
  readonly hashes: number;
  /**
   * Tries up to `maxHashes` more nonces. Returns the nonce (8 bytes) once it is found, and from then on without more work.
   *
   * @throws MintError `E_MINT_INPUT` if `maxHashes` is no integer from 0
   */
  run(maxHashes: number): Uint8Array | undefined;
}

/**
 * Starts a mint. Pure and synchronous: the same task finds the same nonce, the first one from `startNonce` on, whichever
 * kernel runs it.
 *
 * @throws MintError `E_MINT_INPUT`
 */
export function createMint(task: MintTask): Mint {
  return createMintOn(bestKernel().scan, task);
}

/** @throws MintError `E_MINT_INPUT`, naming the argument */
export function checkTask(task: MintTask): void {
  requireObject("task", task);
  requireBytes("digest", task.digest, DIGEST_BYTES);
  requireBytes("startNonce", task.startNonce, NONCE_BYTES);
  requireInteger("effort", task.effort, 1, MAX_EFFORT);
}

export function createMintOn(kernel: Kernel, task: MintTask): Mint {
  checkTask(task);
  const { digest, effort, startNonce } = task;
  const target = highTarget(effort);
  const midstate = new Int32Array(8);
  const hash = new Int32Array(8);
  writeMidstate(midstate, digest, effort);
  let nonceHigh = readWord(startNonce, 0) >>> 0;
  let nonceLow = readWord(startNonce, 4) >>> 0;
  let hashes = 0;
  let found: Uint8Array | undefined;

  function advance(tries: number): void {
    hashes += tries;
    nonceLow += tries;
    if (nonceLow < 2 ** 32) return;
    nonceLow = 0;
    nonceHigh = (nonceHigh + 1) % 2 ** 32;
  }

  return {
    get hashes(): number {
      return hashes;
    },
    run(maxHashes: number): Uint8Array | undefined {
      requireInteger("maxHashes", maxHashes, 0);
      let left = maxHashes;
      while (found === undefined && left > 0) {
        const tries = Math.min(left, 2 ** 32 - nonceLow, MAX_TRIES);
        const offset = kernel(midstate, nonceHigh, nonceLow, target, tries);
        if (offset >= tries) {
          advance(tries);
          left -= tries;
          continue;
        }
        // The kernel looked at 32 bits only; this is the exact comparison.
        writeStampHash(hash, midstate, nonceHigh, nonceLow + offset);
        if (satisfies(hash[0] as number, hash[1] as number, effort)) found = nonceBytes(nonceHigh, nonceLow + offset);
        advance(offset + 1);
        left -= offset + 1;
      }
      return found?.slice();
    },
  };
}

function nonceBytes(high: number, low: number): Uint8Array {
  const bytes = new Uint8Array(NONCE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, high);
  view.setUint32(4, low);
  return bytes;
}
