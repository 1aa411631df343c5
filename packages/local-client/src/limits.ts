// What both ends of the local client protocol agree on (LPC), and what the server allows one connection.

/** Largest message: one JSON text with its newline. Checked before parsing. */
export const MESSAGE_MAX_BYTES: number = 1024 * 1024;
/** Deepest nesting of arrays and objects; checked before parsing. */
export const DEPTH_MAX = 32;
/** Largest content, decoded. */
export const CONTENT_MAX_BYTES = 60_000;
/** Longest topic in UTF-8 bytes. */
export const TOPIC_MAX_BYTES = 128;
/** Longest time that a message may be tried. */
export const TIMEOUT_MAX_MS = 600_000;
/** What a submission gets that names no time. */
export const TIMEOUT_DEFAULT_MS = 10_000;

/** How much of a daemon its programs may use: counts, milliseconds and bytes. */
export type ServerLimits = {
  readonly connections: number;
  /** Where all are taken, the longest idle one (no open request, no subscription) makes room for a new one after this time. */
  readonly idleMs: number;
  /** WebSockets that have not shown the token. */
  readonly strangers: number;
  /** How long they have for it. */
  readonly tokenMs: number;
  /** Requests of one connection that are open at a time; more are answered `E_QUOTA`. */
  readonly openRequests: number;
  /**
   * Open requests that all connections share. One has no more of them than it leaves to others, and one it has always: so whatever some
   * programs do, and over however many connections, the next one is served.
   */
  readonly sharedRequests: number;
  /** Requests in one batch. */
  readonly batch: number;
  /** Subscriptions of one connection. */
  readonly subscriptions: number;
  /** Unread bytes above which a connection counts as congested, and nothing more is read from it. */
  readonly congestedBytes: number;
  /** Unread bytes above which a subscriber is dropped. */
  readonly unreadMaxBytes: number;
};

export const SERVER_LIMITS: ServerLimits = {
  connections: 256,
  idleMs: 60_000,
  strangers: 16,
  tokenMs: 5000,
  openRequests: 256,
  sharedRequests: 768,
  batch: 64,
  subscriptions: 16,
  congestedBytes: 1024 * 1024,
  unreadMaxBytes: 4 * 1024 * 1024,
};

/** Events that the typed client keeps for a program that is slow to take them. */
export const CLIENT_QUEUE_MAX_EVENTS = 65_536;
export const CLIENT_QUEUE_MAX_BYTES: number = 64 * 1024 * 1024;
