/** Misuse of the hub by its owner, or a werift this package was not made for. What the network does is never thrown. */
export type RtcErrorCode =
  | "E_BAD_OPTION"
  | "E_BAD_LABEL"
  | "E_BAD_SIZE"
  | "E_CHANNEL_EXISTS"
  | "E_SHUT_DOWN"
  | "E_WERIFT";

/** Misuse of the hub, or of a codec; `code` is stable. */
export class RtcError extends Error {
  readonly code: RtcErrorCode;

  constructor(code: RtcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RtcError";
    this.code = code;
  }
}
