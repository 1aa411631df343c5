/** Why a submission was not delivered; stable, part of the local client protocol. */
export type SubmitErrorCode =
  | "E_BAD_ID"
  | "E_CANCELLED"
  | "E_CLOCK"
  | "E_DUPLICATE"
  | "E_INBOX_FULL"
  | "E_MINT"
  | "E_NO_CHANNEL"
  | "E_NO_REQUEST"
  | "E_NO_ROUTE"
  | "E_NOT_A_NODE"
  | "E_QUOTA"
  | "E_TIMEOUT"
  | "E_TOO_LARGE";
