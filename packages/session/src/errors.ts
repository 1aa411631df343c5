/** Misuse of the session API by its caller; nothing from the network ever throws. */
export type SessionErrorCode = "E_RESERVED_KIND" | "E_BAD_FRAME" | "E_BAD_LIMIT";

/** Misuse of a table; `code` is stable. Nothing that a peer sends throws it. */
export class SessionError extends Error {
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string) {
    super(message);
    this.name = "SessionError";
    this.code = code;
  }
}
