/** What carries the messages of one local program: a unix socket, or a WebSocket. One JSON text each, untrusted on the way in. */
export type Carrier = {
  /** One JSON text; after the end it does nothing. */
  send(text: string): void;
  /** Sent and not read by the program yet. */
  readonly unreadBytes: number;
  /** Stops and goes on reading what the program sends. */
  pause(): void;
  resume(): void;
  /** Lets what is sent go out, then ends. */
  end(): void;
  destroy(): void;
};

export type CarrierEvents = {
  readonly onMessage: (bytes: Uint8Array) => void;
  /** The program sent more than a message may have; nothing more is read. */
  readonly onTooLong: () => void;
  /** The program has read what was unread. */
  readonly onDrained: () => void;
  /** Once. */
  readonly onClosed: () => void;
};

export type OpenCarrier = (events: CarrierEvents) => Carrier;
