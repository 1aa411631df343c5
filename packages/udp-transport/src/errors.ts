/** What can go wrong for a user of a socket; each message says what to do. */
export type UdpErrorCode =
  | "E_PORT_TAKEN"
  | "E_ADDRESS_NOT_HERE"
  | "E_BAD_ADDRESS"
  | "E_PORT_FORBIDDEN"
  | "E_SOCKET"
  | "E_UNREACHABLE"
  | "E_NO_SESSION"
  | "E_QUEUE_FULL"
  | "E_TOO_LARGE"
  | "E_UNDELIVERED"
  | "E_CLOSED";

export class UdpError extends Error {
  readonly code: UdpErrorCode;

  constructor(code: UdpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UdpError";
    this.code = code;
  }
}

/** The error of a bind that failed, in words for whoever chose the address. */
export function bindError(cause: unknown, host: string, port: number): UdpError {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return new UdpError(
        "E_PORT_TAKEN",
        `UDP ${where} is in use by another program: stop it, or choose another port (0 picks a free one)`,
        { cause },
      );
    case "EADDRNOTAVAIL":
      return new UdpError(
        "E_ADDRESS_NOT_HERE",
        `${host} is not an address of this machine: listen on one that is, or on 0.0.0.0 or :: for all`,
        { cause },
      );
    case "EACCES":
      return new UdpError("E_PORT_FORBIDDEN", `this user may not listen on UDP ${where}: choose a port above 1023`, {
        cause,
      });
    default:
      return new UdpError("E_SOCKET", `cannot listen on UDP ${where}: ${String(code ?? cause)}`, { cause });
  }
}
