import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { bundled } from "../bundled.ts";
import { send } from "./send.ts";

// The dashboard: three files that were built ahead, read once, or part of the bundle. Requests are untrusted; what is not one of the three is not there.

export type Pages = {
  answer(path: string, response: ServerResponse): void;
};

const FILES = { "/": "index.html", "/main.js": "main.js", "/style.css": "style.css" };
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };
const FOLDER = new URL("../../dist/dashboard/", import.meta.url);

const NOT_BUILT = "the dashboard is not built: npm run build\nthe local API is the WebSocket /lpc\n";

export function loadPages(folder: URL = FOLDER): Pages {
  const files = new Map<string, { readonly body: Buffer; readonly type: string }>();
  for (const [path, name] of Object.entries(FILES)) {
    const body = bundled === undefined ? readIfThere(new URL(name, folder)) : bundledPage(name);
    const extension = name.slice(name.indexOf(".") + 1) as keyof typeof TYPES;
    if (body !== undefined) files.set(path, { body, type: `${TYPES[extension]}; charset=utf-8` });
  }
  return {
    answer(path, response) {
      const file = files.get(path);
      if (file !== undefined) send(response, 200, file.body, file.type);
      else send(response, 404, path === "/" ? NOT_BUILT : "there is no such page\n");
    },
  };
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
