export type { CounterName } from "./counters.ts";
export { SessionError, type SessionErrorCode } from "./errors.ts";
export type { CloseReason, SessionEvent, SessionInfo, SessionOwner, Transmit } from "./event.ts";
export { DEFAULT_LIMITS, type SessionLimits } from "./limits.ts";
export type { SendOutcome } from "./link-send.ts";
export type { Now } from "./now.ts";
export { createSessionCrypto, type Initiation, type Response, type SessionCrypto } from "./session-crypto.ts";
export { SessionTable, type SessionTableOptions } from "./session-table.ts";
export { isUnicastAddress } from "./source-address.ts";
