import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  createLocalServer,
  type Demand,
  type LinkEvent,
  type LinkInfo,
  type LocalEvent,
  type LocalHandlers,
  type LocalServer,
  type LocalServerOptions,
  type MessageEvent,
  type NodeStatus,
  type OpenMessage,
  type Receipt,
} from "../src/server.ts";

export const ID = "ab".repeat(32);
export const RECEIPT: Receipt = { messageId: "00".repeat(16), path: "relayed", hops: 2, elapsedMs: 7 };
export const STATUS: NodeStatus = {
  id: ID,
  network: "test",
  version: "0.0.0",
  uptimeMs: 5,
  listen: "127.0.0.1:4100",
  observed: null,
  reachability: "unknown",
  bootstrap: [],
  sessions: 1,
  channels: 0,
  anchors: [ID],
  waiting: 3,
  counters: { "dropped.short": 1 },
  price: { send: 16_384, publish: 65_536 },
};
export const PEER = {
  id: ID,
  address: "127.0.0.1:4100",
  link: "session",
  rttMs: null,
  since: 1,
  anchor: true,
  reachable: true,
} as const;
export const LINK: LinkInfo = {
  peer: ID,
  link: "session",
  address: "127.0.0.1:4100",
  rttMs: 1.5,
  since: 1,
  heardMs: 2,
  sentBytes: 3,
  receivedBytes: 4,
  queuedBytes: 0,
  observed: "127.0.0.1:4101",
  clockAheadMs: -20,
};
export const OPEN_MESSAGE: OpenMessage = { to: ID, kind: "message", phase: "minting", tries: 1, sinceMs: 800 };
export const INFO = {
  id: ID,
  version: "0.0.0",
  network: "test",
  addresses: ["127.0.0.1:4100"],
  uptimeMs: 5,
  http: null,
};

export const message = (text: string, topic = ""): MessageEvent => ({
  type: "message",
  from: ID,
  messageId: "11".repeat(16),
  topic,
  content: new TextEncoder().encode(text),
  path: "relayed",
  receivedAt: 1_700_000_000_000,
  redelivered: false,
});
export const linkOpened: LinkEvent = {
  type: "link",
  link: "session",
  change: "opened",
  peer: ID,
  address: "127.0.0.1:1",
  reason: null,
  at: 1,
};

const handlers: LocalHandlers = {
  info: () => INFO,
  status: () => STATUS,
  peers: () => [PEER],
  links: () => [LINK],
  openMessages: () => [OPEN_MESSAGE],
  submit: async () => RECEIPT,
  request: async ({ content }) => ({ content, receipt: RECEIPT }),
  reply: async () => {},
  broadcast: async () => ({ messageId: RECEIPT.messageId }),
  ping: async () => RECEIPT,
  connect: async () => ({ link: "channel" }),
  disconnect: () => {},
  trace: async () => [],
  ack: () => {},
};

/** What a daemon does with what must not be lost. */
export function offer(server: LocalServer, event: LocalEvent): Demand {
  const demand = server.demand(event);
  if (demand === "ready") server.publish(event);
  return demand;
}

export type Place = { readonly directory: string; readonly socketPath: string };

/** Servers, sockets and directories of a test file, and their end. */
export class Bench {
  readonly #ends: (() => unknown)[] = [];

  place(): Place {
    const directory = mkdtempSync(join(tmpdir(), "lpc-"));
    this.#ends.push(() => rmSync(directory, { recursive: true, force: true }));
    return { directory, socketPath: join(directory, "s") };
  }

  async serve(
    options: Partial<Omit<LocalServerOptions, "handlers">> & { handlers?: Partial<LocalHandlers> } = {},
  ): Promise<LocalServer & Place> {
    const place = this.place();
    const server = await createLocalServer({
      socketPath: place.socketPath,
      ...options,
      handlers: { ...handlers, ...options.handlers },
    });
    this.#ends.push(() => server.close());
    return { ...server, ...place };
  }

  /** A connection that speaks for itself, to send what the client never would. */
  async raw(socketPath: string): Promise<Raw> {
    const socket = connectSocket(socketPath);
    this.#ends.push(() => socket.destroy());
    await new Promise((resolve) => socket.once("connect", resolve));
    return new Raw(socket);
  }

  later(end: () => unknown): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }
}

export class Raw {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #lines: AsyncIterator<string>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Sends a value as one line and gives the next line that comes. */
  async ask(value: unknown): Promise<unknown> {
    this.write(`${typeof value === "string" ? value : JSON.stringify(value)}\n`);
    return this.next();
  }

  async next(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : JSON.parse(value);
  }
}
