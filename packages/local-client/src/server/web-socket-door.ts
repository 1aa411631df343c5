import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import * as z from "zod/mini";
import { LocalClientError } from "../errors.ts";
import { MESSAGE_MAX_BYTES, type ServerLimits } from "../limits.ts";
import { parseLine } from "../line-framing.ts";
import { failure, readRequest, success } from "./request.ts";
import { tokenCheck } from "./token.ts";
import { ownNames, type WebSocketOptions } from "./web-socket-options.ts";

// Who may speak to the daemon over loopback HTTP. Any page that a browser of this machine has open can reach a loopback port, and
// DNS rebinding gives it a name that leads there, so: an exact list of Host values, an exact list of Origin values, and a token
// that only this user can read, as the first message (an address would keep it in histories and logs).

const WEB_SOCKET_PATH = "/lpc";
const POLICY_VIOLATION = 1008;
/** How long one that is refused has to read why and to answer; ws itself would wait for half a minute. */
const CLOSE_MS = 500;

const authenticateParams = z.object({ token: z.string().check(z.maxLength(256)) });

/** Hands on the sockets of programs that have shown the token. */
export function openWebSocketDoor(
  http: Server,
  { token, origins = [] }: WebSocketOptions,
  limits: ServerLimits,
  onProgram: (socket: WebSocket) => void,
): { close(): void } {
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX_BYTES, perMessageDeflate: false });
  // BOUNDED: by limits.strangers.
  const strangers = new Set<WebSocket>();
  const isToken = tokenCheck(token);

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const own = ownNames(http);
    const { host, origin } = request.headers;
    if (request.url !== WEB_SOCKET_PATH) refuse(socket, "404 Not Found");
    else if (host === undefined || !own.includes(host)) refuse(socket, "403 Forbidden");
    else if (origin !== undefined && !own.includes(origin.replace(/^http:\/\//, "")) && !origins.includes(origin)) {
      refuse(socket, "403 Forbidden");
    } else if (strangers.size >= limits.strangers) refuse(socket, "503 Service Unavailable");
    else server.handleUpgrade(request, socket, head, onSocket);
  };

  const onSocket = (socket: WebSocket): void => {
    strangers.add(socket);
    const end = (why: string): void => {
      clearTimeout(deadline);
      socket.off("message", onFirst);
      socket.close(POLICY_VIOLATION, why);
      setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    };
    const deadline = setTimeout(() => end("no token in time"), limits.tokenMs);
    const forget = (): void => {
      clearTimeout(deadline);
      strangers.delete(socket);
    };
    const onError = (): void => socket.terminate();
    const onFirst = (data: Buffer): void => {
      const answer = authenticate(data, isToken);
      if ("error" in answer) {
        socket.send(JSON.stringify(answer));
        end("no valid token");
        return;
      }
      forget();
      socket.off("close", forget);
      socket.off("error", onError);
      onProgram(socket);
      socket.send(JSON.stringify(answer));
    };
    socket.once("close", forget);
    socket.on("error", onError);
    socket.once("message", onFirst);
  };

  http.on("upgrade", onUpgrade);
  return {
    close() {
      http.off("upgrade", onUpgrade);
      for (const socket of strangers) socket.terminate();
      server.close();
    },
  };
}

/** The answer to a first message, which is untrusted. */
function authenticate(data: Uint8Array, isToken: (shown: string) => boolean): object {
  const parsed = parseLine(data);
  const request = parsed.ok ? readRequest(parsed.value) : undefined;
  const params = request?.method === "authenticate" ? authenticateParams.safeParse(request.params) : undefined;
  const id = request?.id ?? null;
  if (id !== null && params?.success && isToken(params.data.token)) return success(id, {});
  const message = "the first message is `authenticate` with the token that stands in the daemon's data directory";
  return failure(id, new LocalClientError("E_NO_ACCESS", message));
}

function refuse(socket: Duplex, status: string): void {
  socket.on("error", () => {});
  // A server for HTTP leaves the other half open, for as long as the stranger likes.
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
