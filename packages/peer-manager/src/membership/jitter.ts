import type { RandomSource } from "@starling/crypto-identity";

/** A wait of 50 to 100 % of `waitMs`, so that what broke at once does not come back at once. */
export function jittered(waitMs: number, random: RandomSource): number {
  return waitMs * (0.5 + fraction(random) / 2);
}

/** Uniform in [0, 1). */
export function fraction(random: RandomSource): number {
  const bytes = random(2);
  return ((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)) / 65_536;
}
