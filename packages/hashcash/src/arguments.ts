// What callers pass is checked here, whatever their types promise. What comes from the network never gets here.
import { MintError } from "./errors.ts";

/** A real one: what merely inherits from Uint8Array throws as soon as it is asked for its length. */
export function isBytes(value: unknown, length: number): value is Uint8Array {
  return ArrayBuffer.isView(value) && value instanceof Uint8Array && value.length === length;
}

export function requireBytes(argument: string, value: unknown, length: number): void {
  if (!isBytes(value, length)) throw badInput(argument, `a Uint8Array of ${length} bytes`, value);
}

export function requireInteger(
  argument: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return;
  throw badInput(argument, `an integer from ${least} to ${most}`, value);
}

export function requireObject(argument: string, value: unknown): void {
  if (typeof value !== "object" || value === null) throw badInput(argument, "an object", value);
}

export function badInput(argument: string, wanted: string, value: unknown): MintError {
  return new MintError("E_MINT_INPUT", `${argument} must be ${wanted}, not ${described(value)}`, { argument });
}

function described(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  return value === null || value === undefined ? String(value) : `of type ${typeof value}`;
}
