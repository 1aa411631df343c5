/** What went wrong, stable across versions. */
export type MintErrorCode =
  /** An argument has the wrong length, type or range; the message names it. */
  | "E_MINT_INPUT"
  /** The caller's AbortSignal fired; its reason is the `cause`. */
  | "E_MINT_ABORTED"
  /** `deadlineMs` went by before a nonce was found. */
  | "E_MINT_DEADLINE"
  /** The pool was closed, before or while the job waited. */
  | "E_MINT_CLOSED"
  /** The pool holds as many jobs as it may. */
  | "E_MINT_BUSY"
  /** Workers died under this job again and again; the last failure is the `cause`. */
  | "E_MINT_WORKER";

/** Misuse of this package, or a mint that could not be finished. Verifying never throws one. */
export class MintError extends Error {
  readonly code: MintErrorCode;

  constructor(code: MintErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MintError";
    this.code = code;
  }
}
