import { IdentityError } from "./errors.ts";

/** Gives that many fresh bytes from a cryptographic source; every call must give new ones. */
export type RandomSource = (sizeBytes: number) => Uint8Array;

/** Draws from `random` and refuses a source that breaks its contract: a short draw would weaken a key unseen. */
export function drawRandom(random: RandomSource, sizeBytes: number): Uint8Array {
  const drawn = random(sizeBytes);
  if (!(drawn instanceof Uint8Array) || drawn.length !== sizeBytes) {
    throw new IdentityError("E_BAD_RANDOM", `the random source did not give the ${sizeBytes} bytes it was asked for`);
  }
  return drawn;
}
