import type { NodeId } from "@starling/crypto-identity";
import {
  DATAGRAM_FRAMES_MAX_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_MAX_BYTES,
  RELIABLE_FRAME_HEADER_BYTES,
} from "@starling/wire-protocol";

/** Largest message of `send` and of `sendOnce`. */
export const MESSAGE_MAX_BYTES: number = FRAME_MAX_BYTES - RELIABLE_FRAME_HEADER_BYTES;
/** Largest message of `sendOnce`: what one datagram holds. */
export const MESSAGE_ONCE_MAX_BYTES: number = DATAGRAM_FRAMES_MAX_BYTES - FRAME_HEADER_BYTES;

/** What can go wrong for a user of a socket; each message says what to do. */
export type UdpErrorCode =
  | "E_PORT_TAKEN"
  | "E_ADDRESS_NOT_HERE"
  | "E_BAD_ADDRESS"
  | "E_BAD_ID"
  | "E_PORT_FORBIDDEN"
  | "E_SOCKET"
  | "E_UNREACHABLE"
  | "E_NO_SESSION"
  | "E_QUEUE_FULL"
  | "E_TOO_LARGE"
  | "E_UNDELIVERED"
  | "E_CLOSED";

/** Misuse, and what went wrong on the network; `code` is stable. */
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
      return new UdpError(
        "E_SOCKET",
        `cannot listen on UDP ${where} (${String(code ?? cause)}): choose another address, and see that this system has that kind of address and sockets to spare`,
        { cause },
      );
  }
}

/** The error of a message that was not taken. */
export function sendError(outcome: "no-session" | "full" | "too-large" | "too-large-once", peer: NodeId): UdpError {
  switch (outcome) {
    case "no-session":
      return new UdpError("E_NO_SESSION", `no session with ${peer}: connect first`);
    case "full":
      return new UdpError("E_QUEUE_FULL", "too much is waiting for this neighbour: await ready() before you send more");
    case "too-large":
      return new UdpError("E_TOO_LARGE", `a message is at most ${MESSAGE_MAX_BYTES} bytes: cut it up`);
    case "too-large-once":
      return new UdpError("E_TOO_LARGE", `what is sent once is at most ${MESSAGE_ONCE_MAX_BYTES} bytes: use send`);
  }
}
