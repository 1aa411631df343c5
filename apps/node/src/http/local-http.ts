import { createServer, type Server } from "node:http";
import { listenTcp } from "@starling/daemon";
import { ownNames } from "@starling/local-client/server";
import type { Address } from "@starling/wire-protocol";
import { loadPages } from "./pages.ts";

// The HTTP side of a node, on loopback: the dashboard, and the local API over WebSocket. Requests are untrusted: any page and any
// user of this machine can send one.

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
// BOUNDED: connections, WebSockets included; further ones are closed at once.
const CONNECTIONS_MAX = 256;

export type LocalHttp = {
  /** The port is the real one. */
  readonly address: Address;
  readonly server: Server;
  /** Waits for WebSockets to have ended, which is for who took them. */
  close(): Promise<void>;
};

/** Rejects with `E_PORT_TAKEN`, `E_ADDRESS_NOT_HERE`, `E_PORT_FORBIDDEN` or `E_SOCKET`. */
export async function openLocalHttp(listen: Address): Promise<LocalHttp> {
  const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS };
  const pages = loadPages((host) => host !== undefined && ownNames(server).includes(host));
  const server: Server = createServer(timeouts, (request, response) => pages.answer(request, response));
  server.maxConnections = CONNECTIONS_MAX;
  const address = await listenTcp(server, listen);
  return {
    address,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
