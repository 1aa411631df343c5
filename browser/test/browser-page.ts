// A page in headless Chromium that holds one bundle: what `pages/NAME.ts` exports is called from a test, and its answer comes back.
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";

// Nothing but what is served here: a bundle that asks for another script, a polyfill's `eval` or an outside host fails.
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ws://127.0.0.1:*";

export class BrowserPage {
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #page: Page;
  /** What the page complained of: errors, refused requests. */
  readonly complaints: string[];
  readonly origin: string;
  /** Size of the minified bundle. */
  readonly bundleBytes: number;

  private constructor(
    browser: Browser,
    server: Server,
    page: Page,
    complaints: string[],
    origin: string,
    bundleBytes: number,
  ) {
    this.#browser = browser;
    this.#server = server;
    this.#page = page;
    this.complaints = complaints;
    this.origin = origin;
    this.bundleBytes = bundleBytes;
  }

  /** Bundles `pages/NAME.ts`, and its worker where it has one, as a project would for its site, without any polyfill, and opens it. */
  static async open(name: string): Promise<BrowserPage> {
    const files = await bundle(name);
    const server = createServer((request, response) => {
      const path = request.url ?? "/";
      const file =
        path === "/"
          ? Buffer.from(`<!doctype html><script type="module" src="/${name}.js"></script>`)
          : files.get(path);
      const type = path === "/" ? "text/html" : "text/javascript";
      response.writeHead(file === undefined ? 404 : 200, { "content-type": type, "content-security-policy": POLICY });
      response.end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "chromium" });
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await page.goto(origin);
    const bytes = files.get(`/${name}.js`)?.length ?? 0;
    return new BrowserPage(browser, server, page, complaints, origin, bytes);
  }

  /** Calls an export of the page; input and answer are JSON. */
  call<Answer>(name: string, input: unknown): Promise<Answer> {
    return this.#page.evaluate(
      ([called, given]) =>
        (globalThis as unknown as Record<string, (input: unknown) => Answer>)[called]?.(given) as Answer,
      [name, input] as const,
    );
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function bundle(name: string): Promise<Map<string, Uint8Array>> {
  const pages = [name, `${name}-worker`].map((file) => fileURLToPath(new URL(`../pages/${file}.ts`, import.meta.url)));
  const { outputFiles, errors, warnings } = await build({
    entryPoints: pages.filter((path) => existsSync(path)),
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    splitting: true,
    outdir: "/",
    write: false,
    conditions: ["@starling/source"],
    logLevel: "silent",
  });
  if (errors.length + warnings.length > 0) throw new Error(JSON.stringify([...errors, ...warnings]));
  return new Map(outputFiles.map(({ path, contents }) => [path.replaceAll("\\", "/"), contents]));
}
