// The connection over a loopback WebSocket, with the platform's own WebSocket: for pages, and for Node where a socket file is out of
// reach. Nothing here needs Node.
import { readFailure } from "./calls.ts";
import { createClient, type LocalClient, type OpenTransport } from "./client.ts";
import { LocalClientError } from "./errors.ts";
import { MESSAGE_MAX_BYTES } from "./limits.ts";
import { parseLine } from "./line-framing.ts";
import type { Transport, TransportEvents } from "./transport.ts";

export type { Answer, NodeInfo, NodeStatus, PeerInfo, Receipt, TraceStep } from "./answers.ts";
export type { LocalClient, RequestOptions, SubmitOptions, SubscribeOptions, Subscription } from "./client.ts";
export type { LocalErrorCode } from "./errors.ts";
export { LocalClientError } from "./errors.ts";
export type * from "./events.ts";
export type { Via } from "./requests.ts";

/** Where the local API is over WebSocket, and what opens it. */
export type WebSocketConnectOptions = {
  /** Such as `ws://127.0.0.1:8420/lpc`. */
  readonly url: string;
  /** What stands in the data directory's `http-token`. */
  readonly token: string;
  /** A connection that is lost is made again, for as long as it takes; see `createClient`. Default false. */
  readonly reconnect?: boolean;
};

/**
 * Rejects with `E_NO_DAEMON` where nobody takes the connection (it may be the page's origin that is refused), `E_NO_ACCESS` where the
 * token is wrong, `E_QUOTA` where the daemon is full.
 */
export async function connectWebSocket(options: WebSocketConnectOptions): Promise<LocalClient> {
  const dial = (): Promise<OpenTransport> => open(options);
  return createClient(await dial(), options.reconnect === true ? dial : undefined);
}

async function open({ url, token }: WebSocketConnectOptions): Promise<OpenTransport> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const authenticate = { jsonrpc: "2.0", id: 0, method: "authenticate", params: { token } };
  await new Promise<void>((resolve, reject) => {
    let isOpen = false;
    let refusal: LocalClientError | undefined;
    socket.onopen = () => {
      isOpen = true;
      socket.send(JSON.stringify(authenticate));
    };
    socket.onmessage = ({ data }: { data: unknown }) => {
      const parsed = parseLine(bytesOf(data));
      if (parsed.ok && isSuccess(parsed.value)) return resolve();
      refusal ??= refusalOf(parsed.ok ? parsed.value : undefined);
      socket.close();
    };
    socket.onclose = () => reject(isOpen ? (refusal ?? endedEarly()) : noDaemon(url));
  });
  return (events) => wrap(socket, events);
}

function wrap(socket: WebSocket, { onLine, onClose }: TransportEvents): Transport {
  let why = "the daemon ended the connection; it may have been stopped";
  socket.onmessage = ({ data }: { data: unknown }) => {
    const bytes = bytesOf(data);
    if (bytes.length < MESSAGE_MAX_BYTES) {
      onLine(bytes);
      return;
    }
    why = "the daemon sent a message over the limit";
    socket.close();
  };
  socket.onclose = () => onClose(why);
  return {
    send: (text) => {
      if (socket.readyState === socket.OPEN) socket.send(text);
    },
    close: () => {
      why = "the program closed the connection";
      socket.close();
    },
  };
}

function bytesOf(data: unknown): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data as ArrayBuffer);
}

function isSuccess(value: unknown): boolean {
  return typeof value === "object" && value !== null && "result" in value;
}

function refusalOf(answer: unknown): LocalClientError {
  const error = typeof answer === "object" && answer !== null ? readFailure(answer) : undefined;
  if (error === undefined) {
    return new LocalClientError("E_BAD_ANSWER", "the daemon's answer is not understood; use a client of its version");
  }
  if (error.code !== "E_NO_ACCESS") return error;
  const message = "the daemon refused the token; it stands in the file http-token of the daemon's data directory";
  return new LocalClientError("E_NO_ACCESS", message);
}

function endedEarly(): LocalClientError {
  const message = "the daemon ended the connection before it took the token; it may have been stopped: connect again";
  return new LocalClientError("E_DISCONNECTED", message);
}

function noDaemon(url: string): LocalClientError {
  const message = `no daemon took a connection at ${url}; start it with --http, use its own address and a page that it allows`;
  return new LocalClientError("E_NO_DAEMON", message);
}
