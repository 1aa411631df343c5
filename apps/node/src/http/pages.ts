import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { bundled } from "../bundled.ts";

// The dashboard: three files that were built ahead, read once, or part of the bundle. Requests are untrusted; what is not one of the three is not there.

export type Pages = {
  answer(request: IncomingMessage, response: ServerResponse): void;
};

const FILES = { "/": "index.html", "/main.js": "main.js", "/style.css": "style.css" };
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };
const FOLDER = new URL("../../dist/dashboard/", import.meta.url);

// The page may run its own script, show its own style, and speak to its own server; nothing else, and no other page may frame it.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};
const NOT_BUILT = "the dashboard is not built: npm run build\nthe local API is the WebSocket /lpc\n";

/** `isOwnHost` tells whether a Host value names this server: a page that DNS rebinding brought here must not see it. */
export function loadPages(isOwnHost: (host: string | undefined) => boolean, folder: URL = FOLDER): Pages {
  const files = new Map<string, { readonly body: Buffer; readonly type: string }>();
  for (const [path, name] of Object.entries(FILES)) {
    const body = bundled === undefined ? readIfThere(new URL(name, folder)) : bundledPage(name);
    const extension = name.slice(name.indexOf(".") + 1) as keyof typeof TYPES;
    if (body !== undefined) files.set(path, { body, type: `${TYPES[extension]}; charset=utf-8` });
  }
  return {
    answer(request, response) {
      const [path = "/"] = (request.url ?? "/").split("?");
      const file = files.get(path);
      if (!isOwnHost(request.headers.host)) send(response, 403, "this server has another name\n");
      else if (request.method !== "GET" && request.method !== "HEAD") send(response, 405, "pages can only be read\n");
      else if (file !== undefined) send(response, 200, file.body, file.type);
      else send(response, 404, path === "/" ? NOT_BUILT : "there is no such page\n");
    },
  };
}

function send(
  response: ServerResponse,
  status: number,
  body: Buffer | string,
  type = "text/plain; charset=utf-8",
): void {
  response.writeHead(status, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function bundledPage(name: string): Buffer | undefined {
  const text = bundled?.pages[name];
  return text === undefined ? undefined : Buffer.from(text);
}

function readIfThere(file: URL): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
