/** Every code that this package throws. Codes are stable; messages are for people and may change. */
export type IdentityErrorCode =
  | "E_BAD_ARGUMENT"
  | "E_BAD_ID"
  | "E_BAD_SEED"
  | "E_BAD_KEY"
  | "E_BAD_RANDOM"
  | "E_BAD_COUNTER"
  | "E_COUNTER_EXHAUSTED"
  | "E_CLOSED"
  | "E_OUT_OF_TURN"
  | "E_BAD_DOMAIN"
  | "E_BAD_PROLOGUE"
  | "E_BAD_SIZE"
  | "E_NOT_AN_IDENTITY"
  | "E_TOO_LARGE"
  | "E_KEY_FILE_MISSING"
  | "E_KEY_FILE_UNREADABLE"
  | "E_KEY_FILE_UNWRITABLE"
  | "E_KEY_FILE_PERMISSIONS"
  | "E_KEY_FILE_FOREIGN"
  | "E_KEY_FILE_DAMAGED"
  | "E_KEY_FILE_PASSPHRASE";

/** Misuse of this package by its caller, or a key file that must not be used. Bad bytes from a network never throw. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: IdentityErrorCode;
  /** The argument at fault, as the function names it; undefined where none is. */
  readonly argument: string | undefined;

  constructor(code: IdentityErrorCode, message: string, options: ErrorOptions & { readonly argument?: string } = {}) {
    super(message, options);
    this.code = code;
    this.argument = options.argument;
  }
}
