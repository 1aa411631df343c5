/** Which argument is wrong, stable across versions. */
export type BloomErrorCode =
  | "E_BLOOM_OPTIONS"
  | "E_BLOOM_CAPACITY"
  | "E_BLOOM_INITIAL_CAPACITY"
  | "E_BLOOM_MAX_CAPACITY"
  | "E_BLOOM_ERROR_RATE"
  | "E_BLOOM_KEY"
  | "E_BLOOM_GROWTH"
  | "E_BLOOM_TIGHTENING"
  | "E_BLOOM_ROTATION_MS"
  | "E_BLOOM_NOW_MS"
  | "E_BLOOM_ELAPSED_MS"
  | "E_BLOOM_ITEM"
  /** Damaged, cut short, not an image at all, or made under another key. */
  | "E_BLOOM_IMAGE"
  /** Whole perhaps, but of a version of the format that is not known here. */
  | "E_BLOOM_IMAGE_VERSION"
  /** Whole, but of another of the three kinds of filter. */
  | "E_BLOOM_IMAGE_KIND";

/** A filter was built, driven or restored with an argument that makes no sense. */
export class BloomError extends Error {
  readonly code: BloomErrorCode;

  constructor(code: BloomErrorCode, message: string) {
    super(message);
    this.name = "BloomError";
    this.code = code;
  }
}
