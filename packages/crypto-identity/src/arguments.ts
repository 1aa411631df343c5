import { IdentityError, type IdentityErrorCode } from "./errors.ts";

// What a caller hands over, checked by name before anything is done with it. Bytes from a network do not come this way:
// whatever is wrong with those gives undefined.

/** Throws `E_BAD_ARGUMENT` unless the value is a Uint8Array (a Buffer is one). */
export function requireBytes(argument: string, value: Uint8Array): void {
  if (value instanceof Uint8Array) return;
  throw new IdentityError("E_BAD_ARGUMENT", `${argument} must be a Uint8Array`, { argument });
}

/** Throws the code unless the value is a Uint8Array of exactly that size. */
export function requireSizedBytes(
  argument: string,
  value: Uint8Array,
  sizeBytes: number,
  code: IdentityErrorCode,
): void {
  if (value instanceof Uint8Array && value.length === sizeBytes) return;
  throw new IdentityError(code, `${argument} must be a Uint8Array of ${sizeBytes} bytes`, { argument });
}

/** The UTF-8 of a text of 1 to `maxBytes` bytes; throws the code where it is none. */
export function requireText(argument: string, value: string, maxBytes: number, code: IdentityErrorCode): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : undefined;
  if (bytes !== undefined && bytes.length > 0 && bytes.length <= maxBytes) return bytes;
  throw new IdentityError(code, `${argument} must be a string of 1 to ${maxBytes} bytes of UTF-8`, { argument });
}
