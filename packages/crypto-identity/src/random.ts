import { IdentityError } from "./errors.ts";

/** Gives that many fresh bytes from a cryptographic source; every call must give new ones. */
export type RandomSource = (sizeBytes: number) => Uint8Array;

/** Draws from `random` and refuses a source that breaks its contract: a short draw would weaken a key unseen. */
export function drawRandom(random: RandomSource, sizeBytes: number): Uint8Array {
  const drawn = typeof random === "function" ? random(sizeBytes) : undefined;
  if (drawn instanceof Uint8Array && drawn.length === sizeBytes) return drawn;
  const reason = `random must be a function that gives as many bytes as it is asked for (here ${sizeBytes})`;
  throw new IdentityError("E_BAD_RANDOM", reason, { argument: "random" });
}
