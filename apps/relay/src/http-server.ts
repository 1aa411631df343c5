import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listenTcp } from "@starling/daemon";
import type { Address } from "@starling/wire-protocol";

// The HTTP side of a relay: three pages to read, nothing to change. Requests are untrusted, and none costs more than a scrape.

const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
// BOUNDED: connections; further ones are closed at once.
const CONNECTIONS_MAX = 64;

export type Health = "starting" | "ok" | "draining";

export type Pages = {
  health(): Health;
  metrics(): Promise<string>;
  readonly metricsContentType: string;
  descriptor(): unknown;
};

export type HttpServer = {
  /** The port is the real one. */
  readonly address: Address;
  close(): Promise<void>;
};

/** Rejects with `E_PORT_TAKEN`, `E_ADDRESS_NOT_HERE`, `E_PORT_FORBIDDEN` or `E_SOCKET`. */
export async function openHttpServer(listen: Address, pages: Pages): Promise<HttpServer> {
  const server = createServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      answer(request, response, pages).catch(() => response.destroy());
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  const address = await listenTcp(server, listen);
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, pages: Pages): Promise<void> {
  const [path] = (request.url ?? "/").split("?");
  const page = path === "/healthz" || path === "/metrics" || path === "/descriptor" ? path : undefined;
  if (page === undefined)
    return sendJson(response, 404, { error: "no such page; see /healthz, /metrics, /descriptor" });
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return sendJson(response, 405, { error: `${page} can only be read` });
  }
  switch (page) {
    case "/healthz": {
      const status = pages.health();
      return sendJson(response, status === "ok" ? 200 : 503, { status });
    }
    case "/metrics":
      return send(response, 200, pages.metricsContentType, await pages.metrics());
    case "/descriptor":
      return sendJson(response, 200, pages.descriptor());
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, "application/json; charset=utf-8", `${JSON.stringify(body)}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  // To a HEAD Node sends the headers alone.
  response.end(body);
}
