import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listenTcp } from "@starling/daemon";
import { ownNames } from "@starling/local-client/server";
import type { Address } from "@starling/wire-protocol";
import { type MetricsPage, type MetricsPageOptions, metricsPage } from "./metrics-page.ts";
import { loadPages } from "./pages.ts";
import { send } from "./send.ts";

// The HTTP side of a node, on loopback: the dashboard, its metrics, and the local API over WebSocket. Requests are untrusted: any page and any
// user of this machine can send one.

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
// BOUNDED: connections, WebSockets included; further ones are closed at once.
const CONNECTIONS_MAX = 256;

export type LocalHttp = {
  /** The port is the real one. */
  readonly address: Address;
  readonly server: Server;
  /** From now on there is `/metrics`. */
  serveMetrics(options: MetricsPageOptions): void;
  /** Waits for WebSockets to have ended, which is for who took them. */
  close(): Promise<void>;
};

/** Rejects with `E_PORT_TAKEN`, `E_ADDRESS_NOT_HERE`, `E_PORT_FORBIDDEN` or `E_SOCKET`. */
export async function openLocalHttp(listen: Address): Promise<LocalHttp> {
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS };
  const pages = loadPages();
  let metrics: MetricsPage | undefined;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { host } = request.headers;
    const [path = "/"] = (request.url ?? "/").split("?");
    // A page that DNS rebinding brought here must not see anything.
    if (host === undefined || !ownNames(server).includes(host)) send(response, 403, "this server has another name\n");
    else if (request.method !== "GET" && request.method !== "HEAD") send(response, 405, "pages can only be read\n");
    else if (path === "/metrics" && metrics !== undefined) metrics.answer(request, response);
    else pages.answer(path, response);
  };
  const server: Server = createServer(timeouts, answer);
  server.maxConnections = CONNECTIONS_MAX;
  const address = await listenTcp(server, listen);
  return {
    address,
    server,
    serveMetrics(options) {
      metrics = metricsPage(options);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
