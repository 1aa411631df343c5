/** Why bytes from the network were not taken. Each is a counter's label; none is ever thrown. */
export type DecodeFailure =
  | "too-short"
  | "too-long"
  | "bad-length"
  | "unknown-kind"
  | "bad-value"
  | "bad-id"
  | "bad-address"
  | "trailing-bytes";

/** The outcome of decoding untrusted bytes: a value, or the reason there is none. */
export type DecodeResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: DecodeFailure };

export function decoded<T>(value: T): DecodeResult<T> {
  return { ok: true, value };
}

export function undecodable(reason: DecodeFailure): { readonly ok: false; readonly reason: DecodeFailure } {
  return { ok: false, reason };
}
