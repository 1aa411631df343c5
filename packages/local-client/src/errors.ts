/** Stable: what `error.data.code` of an answer, and `code` of a `LocalClientError`, can be. */
export type LocalErrorCode =
  // of a message
  | "E_BAD_ADDRESS"
  | "E_BAD_ID"
  | "E_CANCELLED"
  | "E_CLOCK"
  | "E_DUPLICATE"
  | "E_INBOX_FULL"
  | "E_MINT"
  | "E_NO_CHANNEL"
  | "E_NO_MESSAGE"
  | "E_NO_REQUEST"
  | "E_NO_ROUTE"
  | "E_NOT_A_NODE"
  | "E_QUOTA"
  | "E_TIMEOUT"
  | "E_TOO_LARGE"
  // of the protocol
  | "E_BAD_PARAMS"
  | "E_BAD_REQUEST"
  | "E_INTERNAL"
  | "E_NO_SUBSCRIPTION"
  | "E_PARSE"
  | "E_SHUTTING_DOWN"
  | "E_SLOW_SUBSCRIBER"
  | "E_TOO_DEEP"
  | "E_UNKNOWN_METHOD"
  // of a connection, given by the client or by the server's start
  | "E_ABORTED"
  | "E_BAD_ANSWER"
  | "E_BAD_SOCKET_PATH"
  | "E_DISCONNECTED"
  | "E_NO_ACCESS"
  | "E_NO_DAEMON"
  | "E_SOCKET_DIRECTORY"
  | "E_SOCKET_IN_USE";

/** A request that failed, a connection that is gone, or a socket that cannot be served. */
export class LocalClientError extends Error {
  override readonly name = "LocalClientError";
  readonly code: LocalErrorCode;

  constructor(code: LocalErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The numbers of JSON-RPC 2.0 §5.1; what it does not know is -32000, the first that it leaves to servers. */
export function rpcNumber(code: LocalErrorCode): number {
  switch (code) {
    case "E_PARSE":
    case "E_TOO_DEEP":
      return -32700;
    case "E_BAD_REQUEST":
      return -32600;
    case "E_UNKNOWN_METHOD":
      return -32601;
    case "E_BAD_PARAMS":
      return -32602;
    case "E_INTERNAL":
      return -32603;
    default:
      return -32000;
  }
}
