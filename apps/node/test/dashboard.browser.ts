// The dashboard as a person meets it: the built page, served by the node's own HTTP side, in Chromium.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createLocalServer, type LocalHandlers, type LocalServer, type PeerInfo } from "@starling/local-client/server";
import { type Browser, chromium, type Page } from "playwright-core";
import { type LocalHttp, openLocalHttp } from "../src/http/local-http.ts";

const TOKEN = "ab".repeat(32);
const ME = "11".repeat(32);
const idOf = (n: number): string => n.toString(16).padStart(4, "0").repeat(16);
const peerOf = (n: number): PeerInfo => ({
  id: idOf(n),
  address: "203.0.113.9:4100",
  link: n % 2 === 0 ? "session" : "channel",
  rttMs: n,
  since: 1_790_000_000_000,
  anchor: n === 1,
  reachable: true,
});
const directory = mkdtempSync(join(tmpdir(), "starling-"));
let browser: Browser;
let page: Page;
let http: LocalHttp;
let server: LocalServer;
let peers: PeerInfo[];
let complaints: string[];
let requested: Set<string>;

/** A daemon's local side whose node is played: what it is asked, it answers from `peers`. */
async function serve(port = 0): Promise<void> {
  const handlers: Partial<LocalHandlers> = {
    peers: () => peers,
    status: () => ({
      id: ME,
      network: "test",
      version: "0.0.0",
      uptimeMs: 60_000,
      listen: "127.0.0.1:4100",
      observed: null,
      reachability: "unknown",
      bootstrap: [],
      sessions: 2,
      channels: 1,
      anchors: [],
      waiting: 0,
      counters: { "udp.sent": 1 },
      price: { send: 1, publish: 1 },
    }),
    submit: async () => ({ messageId: "00".repeat(16), path: "channel", hops: 1, elapsedMs: 4 }),
  };
  http = await openLocalHttp({ ip: "127.0.0.1", port });
  server = await createLocalServer({ socketPath: join(directory, "s"), handlers: handlers as LocalHandlers });
  server.serveWebSocket(http.server, { token: TOKEN });
}

async function stop(): Promise<void> {
  await server.close();
  await http.close();
}

const origin = (): string => `http://127.0.0.1:${http.address.port}`;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "chromium" });
}, 30_000);
afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  peers = [1, 2, 3].map(peerOf);
  complaints = [];
  requested = new Set();
  await serve();
  page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("request", (request) => requested.add(new URL(request.url()).origin));
});
afterEach(async () => {
  await page.close();
  await stop();
});

const open = (fragment = `#token=${TOKEN}`): Promise<unknown> => page.goto(`${origin()}/${fragment}`);
const live = (): Promise<unknown> => page.waitForSelector(".connection.connected");

describe("the dashboard", () => {
  test("shows the node and its peers, asks nobody else, and complains of nothing", async () => {
    await open();
    await live();
    await page.waitForSelector("tbody tr:nth-child(3)");
    expect(await page.locator("tbody tr").allInnerTexts()).toEqual([
      expect.stringContaining("00010001…0001"),
      expect.stringContaining("session"),
      expect.stringContaining("3.0 ms"),
    ]);
    expect(await page.locator(".picture canvas").getAttribute("aria-label")).toContain(
      "3 peers around this node: 2 over direct",
    );
    expect(new URL(page.url()).hash).toBe("");
    peers = [4].map(peerOf);
    await page.getByText("00040004…0004").waitFor();
    // A page that is loaded anew still knows its token.
    await page.reload();
    await live();
    expect(requested).toEqual(new Set([origin()]));
    expect(complaints).toEqual([]);
  });

  test("sends a message to a chosen peer and shows its receipt", async () => {
    await open();
    await page.getByRole("button", { name: "00020002…0002" }).click();
    expect(await page.getByRole("textbox", { name: "To" }).inputValue()).toBe(idOf(2));
    await page.getByRole("textbox", { name: "Text" }).fill("hello");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Written by the recipient's node in 4.0 ms, over a direct channel, 1 link.").waitFor();
    await page.getByRole("textbox", { name: "To" }).fill("nobody");
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
  });

  test("is used by keyboard alone", async () => {
    await open();
    await page.waitForSelector("tbody tr:nth-child(3)");
    await page.locator(".picture canvas").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.getByRole("textbox", { name: "To" }).inputValue()).toBe(idOf(2));
    await page.getByRole("button", { name: "link" }).focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("th[aria-sort=ascending]").textContent()).toContain("link");
  });

  test("a stranger's text stays text", async () => {
    await open();
    await page.getByText("Links, peers and broadcasts").waitFor();
    // Subscribed once the first answers are there.
    await page.waitForSelector("tbody tr:nth-child(3)");
    await until(() => server.hasSubscriber("broadcast"));
    const content = new TextEncoder().encode('<img src=x onerror="document.title=1">\u001b[2J\u202e');
    const [messageId, receivedAt] = ["00", 1_790_000_000_000];
    server.publish({ type: "broadcast", from: idOf(1), messageId, topic: "<b>", content, receivedAt });
    await page.getByText('on <b>: <img src=x onerror="document.title=1">�[2J�').waitFor();
    expect(await page.locator("img").count()).toBe(0);
  });

  test("says what to do without the token, and asks for nothing more", async () => {
    await open("");
    await page.getByText("open the address that the node printed").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(0);
  });

  test("waits for a node that went, and goes on when it is back", async () => {
    await open();
    await live();
    const { port } = http.address;
    await stop();
    await page.waitForSelector(".connection.lost");
    await serve(port);
    await live();
  });

  test("fits a phone, in the dark, without sideways scrolling", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await open();
    await page.waitForSelector("tbody tr:nth-child(3)");
    const [content, view, ground] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      innerWidth,
      getComputedStyle(document.body).backgroundColor,
    ]);
    expect(content).toBe(view);
    expect(ground).toBe("rgb(14, 19, 27)");
  });
});

describe("its pages", () => {
  test("are guarded by a policy without inline script, and are only there under the server's own names", async () => {
    const response = await fetch(`${origin()}/`);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
    expect(await response.text()).not.toMatch(/<script(?![^>]*src=)|style=|onclick/);
    expect(await statusOf("/", { host: "attacker.example" })).toBe(403);
    expect(await statusOf("/", {}, "POST")).toBe(405);
    for (const path of ["/other", "/../package.json", "/main.js/..", "//etc/passwd"])
      expect(await statusOf(path)).toBe(404);
    expect(await statusOf("/main.js?x=1")).toBe(200);
  });

  test("take 60 KB at most, compressed", () => {
    const folder = fileURLToPath(new URL("../dist/dashboard/", import.meta.url));
    const sizes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name))).length);
    expect(sizes.length).toBe(3);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(60_000);
  });
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error("not within 5 s");
    await new Promise(setImmediate);
  }
}

/** `fetch` does not let a path or a Host through as it is. */
function statusOf(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { port } = http.address;
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
    request.end();
  });
}
