/** What went wrong, stable across versions. */
export type MintErrorCode =
  /** An argument has the wrong length, type or range: `argument` and the message name it. */
  | "E_MINT_INPUT"
  /** The caller's AbortSignal fired; its reason is the `cause`. */
  | "E_MINT_ABORTED"
  /** `deadlineMs` went by before a nonce was found. */
  | "E_MINT_DEADLINE"
  /** The pool was closed, before or while the job waited. */
  | "E_MINT_CLOSED"
  /** The pool holds as many jobs as it may. */
  | "E_MINT_BUSY"
  /** Workers died under this job again and again, or could not be started; the last failure is the `cause`. */
  | "E_MINT_WORKER";

export interface MintErrorOptions extends ErrorOptions {
  readonly argument?: string;
}

/** Misuse of this package, or a mint that could not be finished. Verifying and parsing never throw one. */
export class MintError extends Error {
  readonly code: MintErrorCode;
  /** The argument at fault, with `E_MINT_INPUT`. */
  readonly argument: string | undefined;

  constructor(code: MintErrorCode, message: string, options?: MintErrorOptions) {
    super(message, options);
    this.name = "MintError";
    this.code = code;
    this.argument = options?.argument;
  }
}
