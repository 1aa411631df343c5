/** Which argument is out of range, stable across versions. */
export type BloomErrorCode =
  | "E_BLOOM_CAPACITY"
  | "E_BLOOM_INITIAL_CAPACITY"
  | "E_BLOOM_MAX_CAPACITY"
  | "E_BLOOM_ERROR_RATE"
  | "E_BLOOM_KEY"
  | "E_BLOOM_GROWTH"
  | "E_BLOOM_TIGHTENING"
  | "E_BLOOM_ROTATION_MS"
  | "E_BLOOM_NOW_MS";

/** A filter was built or driven with an argument that makes no sense. */
export class BloomError extends Error {
  readonly code: BloomErrorCode;

  constructor(code: BloomErrorCode, message: string) {
    super(message);
    this.name = "BloomError";
    this.code = code;
  }
}
