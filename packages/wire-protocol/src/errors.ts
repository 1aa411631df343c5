/** Misuse of an encoder by its caller. `E_TOO_LARGE` carries the limit in bytes. */
export type WireErrorCode = "E_TOO_LARGE" | "E_BAD_VALUE" | "E_BAD_ADDRESS";

/** What an encoder's caller got wrong; `code` is stable, `limitBytes` the most that would have fitted. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  readonly limitBytes: number | undefined;

  constructor(code: WireErrorCode, message: string, limitBytes?: number) {
    super(message);
    this.name = "WireError";
    this.code = code;
    this.limitBytes = limitBytes;
  }
}
