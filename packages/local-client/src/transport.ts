/** What carries the lines of a connection: a unix socket, a WebSocket, or what a program brings. */
export type Transport = {
  /** Sends one JSON text; after the connection is gone it does nothing. */
  send(text: string): void;
  /** Ends the connection; `onClose` follows. */
  close(): void;
};

/** What a transport tells the client on it. */
export type TransportEvents = {
  /** The bytes of one line, untrusted. */
  readonly onLine: (line: Uint8Array) => void;
  /** Once, whatever ended it. */
  readonly onClose: (why: string) => void;
};
