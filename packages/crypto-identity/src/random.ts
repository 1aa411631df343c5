import { IdentityError } from "./errors.ts";

/** Gives that many fresh bytes from a cryptographic source; every call must give new ones. */
export type RandomSource = (sizeBytes: number) => Uint8Array;

/** What `crypto.getRandomValues` gives at once; node:crypto would give more, but both backends have the same verdicts. */
const DRAW_MAX_BYTES = 65_536;

/**
 * Throws `E_BAD_SIZE` unless the size is an integer from 0 to 65,536. For the system's source, which must not be led by what
 * it is asked for: a negative draw would hand out bytes of its pool again.
 */
export function requireDrawSize(sizeBytes: number): void {
  if (Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= DRAW_MAX_BYTES) return;
  const reason = `sizeBytes must be an integer from 0 to ${DRAW_MAX_BYTES}`;
  throw new IdentityError("E_BAD_SIZE", reason, { argument: "sizeBytes" });
}

/** Draws from `random` and refuses a source that breaks its contract: a short draw would weaken a key unseen. */
export function drawRandom(random: RandomSource, sizeBytes: number): Uint8Array {
  const drawn = typeof random === "function" ? random(sizeBytes) : undefined;
  if (drawn instanceof Uint8Array && drawn.length === sizeBytes) return drawn;
  const reason = `random must be a function that gives as many bytes as it is asked for (here ${sizeBytes})`;
  throw new IdentityError("E_BAD_RANDOM", reason, { argument: "random" });
}
