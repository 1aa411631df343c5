import type { Server as HttpServer } from "node:http";
import { createServer } from "node:net";
import { LocalClientError } from "./errors.ts";
import type { EventType, LocalEvent } from "./events.ts";
import { SERVER_LIMITS, type ServerLimits } from "./limits.ts";
import type { OpenCarrier } from "./server/carrier.ts";
import { Connection } from "./server/connection.ts";
import type { LocalHandlers } from "./server/handlers.ts";
import { listenPrivately } from "./server/listen.ts";
import { overSocket } from "./server/socket-carrier.ts";
import { overWebSocket } from "./server/web-socket-carrier.ts";
import { openWebSocketDoor } from "./server/web-socket-door.ts";
import type { WebSocketOptions } from "./server/web-socket-options.ts";

export type { Answer, LinkInfo, NodeInfo, NodeStatus, OpenMessage, PeerInfo, Receipt, TraceStep } from "./answers.ts";
export type { LocalErrorCode } from "./errors.ts";
export { LocalClientError } from "./errors.ts";
export type {
  BroadcastEvent,
  LinkEvent,
  LocalEvent,
  MessageEvent,
  PeerEvent,
  RequestEvent,
  StatusEvent,
} from "./events.ts";
export type { ServerLimits } from "./limits.ts";
export type {
  AckRequest,
  AskRequest,
  BroadcastRequest,
  ConnectRequest,
  DisconnectRequest,
  PingRequest,
  ReplyRequest,
  SubmitRequest,
} from "./requests.ts";
export type { LocalHandlers } from "./server/handlers.ts";
export { tokenCheck } from "./server/token.ts";
export { ownNames, type WebSocketOptions } from "./server/web-socket-options.ts";

/** What a local API is served with. */
export type LocalServerOptions = {
  /** A unix socket in a directory of this user; the directory is made, 0700, where there is none. */
  readonly socketPath: string;
  readonly handlers: LocalHandlers;
  /** Subscriptions changed, or a congested program has read: what was kept may go now. */
  readonly onInterest?: () => void;
  /** Faults of handlers, for the log. */
  readonly onFault?: (error: unknown) => void;
  readonly limits?: Partial<ServerLimits>;
};

/** Whether an event would be read: `congested` while all who want it are behind with reading. */
export type Demand = "ready" | "nobody" | "congested";

/** The daemon's end of the local API: what it publishes to the programs that are connected. */
export type LocalServer = {
  /** What must not be lost is published where this says `ready`, and otherwise kept until `onInterest`. */
  demand(event: LocalEvent): Demand;
  /** Whether somebody who wants an event will acknowledge it. */
  acknowledges(event: LocalEvent): boolean;
  /** Sends an event to everybody who subscribed to it; who is more than 4 MiB behind is dropped with `E_SLOW_SUBSCRIBER`. */
  publish(event: LocalEvent): void;
  /** Whether anybody subscribed to events of this type, of whatever topic. */
  hasSubscriber(type: EventType): boolean;
  /** Serves programs over WebSocket too, at `/lpc` of a server that listens on loopback. */
  serveWebSocket(http: HttpServer, options: WebSocketOptions): void;
  /** Ends every connection and removes the socket; the HTTP server stays with who made it. */
  close(): Promise<void>;
};

/** How long programs have to read their last answers. */
const CLOSE_MS = 500;

/** Rejects with `E_SOCKET_IN_USE`, `E_SOCKET_DIRECTORY` or `E_BAD_SOCKET_PATH`. */
export async function createLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const { socketPath, handlers, onInterest = () => {}, onFault = () => {} } = options;
  const limits = { ...SERVER_LIMITS, ...options.limits };
  // BOUNDED: by limits.connections.
  const connections = new Set<Connection>();
  let onEmpty = (): void => {};
  const whenEmpty = (): Promise<void> =>
    connections.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          onEmpty = resolve;
        });
  const shared = { openCount: 0 };
  const add = (open: OpenCarrier): void => {
    const hasRoom = connections.size < limits.connections || makeRoom();
    const onClose = (): void => {
      connections.delete(connection);
      if (connections.size === 0) onEmpty();
      onInterest();
    };
    const connection: Connection = new Connection({ open, handlers, limits, shared, onInterest, onFault, onClose });
    if (hasRoom) connections.add(connection);
    else refuse(connection, `${limits.connections} programs are connected; end one of them`);
  };
  // BOUNDED: those that are refused are read no further and last as long as it takes to read why.
  const refuse = (connection: Connection, message: string): void => {
    connection.refuse(new LocalClientError("E_QUOTA", message));
    setTimeout(() => connection.destroy(), CLOSE_MS).unref();
  };
  /** Ends the connection that has been idle for longest, if it has been for long enough. */
  const makeRoom = (): boolean => {
    const nowMono = performance.now();
    const idle = [...connections].map((connection) => ({ connection, ms: connection.idleMs(nowMono) }));
    const longest = idle.reduce((a, b) => (b.ms > a.ms ? b : a));
    if (longest.ms < limits.idleMs) return false;
    connections.delete(longest.connection);
    refuse(longest.connection, "too many programs are connected, and this one was idle for longest; connect again");
    return true;
  };
  const server = createServer((socket) => add(overSocket(socket)));
  const doors: { close(): void }[] = [];
  await listenPrivately(server, socketPath);
  // Such as too many open files: whoever is connected stays so.
  server.on("error", onFault);

  return {
    demand(event) {
      const wanting = [...connections].filter((connection) => connection.wants(event));
      if (wanting.length === 0) return "nobody";
      return wanting.every((connection) => connection.isCongested) ? "congested" : "ready";
    },
    acknowledges: (event) => [...connections].some((connection) => connection.acknowledges(event)),
    publish(event) {
      for (const connection of connections) connection.publish(event);
    },
    hasSubscriber: (type) => [...connections].some((connection) => connection.hasSubscription(type)),
    serveWebSocket(http, webSocket) {
      doors.push(openWebSocketDoor(http, webSocket, limits, (socket) => add(overWebSocket(socket))));
    },
    async close() {
      for (const door of doors) door.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const killer = setTimeout(() => {
        for (const connection of connections) connection.destroy();
      }, CLOSE_MS);
      // What was failed just now is answered before its connection ends.
      setImmediate(() => {
        for (const connection of connections) connection.end();
      });
      await Promise.all([closed, whenEmpty()]);
      clearTimeout(killer);
    },
  };
}
