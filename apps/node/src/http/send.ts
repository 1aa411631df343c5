import type { ServerResponse } from "node:http";

// The page may run its own script, show its own style, and speak to its own server; nothing else, and no other page may frame it.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** Answers with these bytes; to a HEAD Node sends the headers alone. */
export function send(
  response: ServerResponse,
  status: number,
  body: Buffer | string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
