// The only file of the client that needs Node: the connection over a unix socket (on Windows a named pipe).
import { connect as connectSocket, type Socket } from "node:net";
import { createClient, type LocalClient, type OpenTransport } from "./client.ts";
import { errnoOf } from "./errno.ts";
import { LocalClientError } from "./errors.ts";
import { LineReader } from "./line-framing.ts";
import { LineWriter } from "./line-writer.ts";
import { checkSocketPath } from "./socket-path.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** How a connection behaves when it is lost. */
export type ConnectOptions = {
  /** A connection that is lost is made again, for as long as it takes; see `createClient`. Default false. */
  readonly reconnect?: boolean;
};

/** Rejects with `E_NO_DAEMON`, `E_NO_ACCESS` or `E_BAD_SOCKET_PATH`. */
export async function connect(socketPath: string, { reconnect = false }: ConnectOptions = {}): Promise<LocalClient> {
  checkSocketPath(socketPath);
  const dial = async (): Promise<OpenTransport> => {
    const socket = await open(socketPath);
    return (events) => wrap(socket, events);
  };
  return createClient(await dial(), reconnect ? dial : undefined);
}

function open(socketPath: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(socketPath);
    socket.once("error", (error) => reject(connectError(error, socketPath)));
    socket.once("connect", () => resolve(socket));
  });
}

function wrap(socket: Socket, events: TransportEvents): Transport {
  const reader = new LineReader();
  const lines = new LineWriter(socket);
  let why = "the daemon ended the connection; it may have been stopped";
  socket.removeAllListeners("error");
  socket.on("error", (error) => {
    why = `the connection to the daemon broke (${error.message})`;
  });
  socket.on("data", (chunk: Buffer) => {
    const lines = reader.push(chunk);
    if (lines === "too-long") {
      why = "the daemon sent a message over the limit";
      socket.destroy();
      return;
    }
    for (const line of lines) events.onLine(line);
  });
  socket.once("close", () => events.onClose(why));
  return {
    send: (text) => lines.send(text),
    close: () => {
      why = "the program closed the connection";
      lines.flush();
      socket.destroy();
    },
  };
}

function connectError(error: Error, socketPath: string): LocalClientError {
  const errno = errnoOf(error);
  if (errno === "EACCES" || errno === "EPERM") {
    const message = `this user may not connect to ${socketPath}; run as the user whose daemon it is`;
    return new LocalClientError("E_NO_ACCESS", message, { cause: error });
  }
  const message = `no daemon listens on ${socketPath}; start it, or name its socket`;
  return new LocalClientError("E_NO_DAEMON", message, { cause: error });
}
