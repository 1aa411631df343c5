import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { createLocalServer, type LocalHandlers, type PeerInfo } from "@starling/local-client/server";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Figure } from "./figure.ts";

// The dashboard in headless Chromium, before a daemon whose node is played: round trips of all peers change every second.

const FOLDER = fileURLToPath(new URL("../../apps/node/dist/dashboard/", import.meta.url));
const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript", css: "text/css" };
const TOKEN = "bench";
const ROUNDS = 5;
const DRAG_MS = 2000;
/** Polls of a page that was asked to poll as fast as it can: what ten minutes have. */
const POLLS = 600;

/** With `minutes` one page is also left alone for so long, answered once a second as a node does, and its heap looked at. */
export async function dashboard(
  progress: (done: number, of: number) => void,
  { minutes }: { readonly minutes?: number },
): Promise<Figure[]> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    const skipped = "no Chromium here: install one (Debian: apt-get install chromium), or set CHROMIUM to its path";
    return [{ name: "dashboard", unit: "", samples: [], skipped }];
  }
  const files = readdirSync(FOLDER);
  const sizes = files.map((name) => gzipSync(readFileSync(join(FOLDER, name))).length);
  const browser = await chromium.launch({
    executablePath,
    args: ["--js-flags=--expose-gc", "--enable-precise-memory-info"],
  });
  try {
    const paints: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      paints.push(await withPage(browser, 200, (page) => firstPaint(page)));
      progress(round + 1, 3 * ROUNDS + 1);
    }
    const rates: Record<number, number[]> = { 200: [], 500: [] };
    for (const count of [200, 500]) {
      for (let round = 0; round < ROUNDS; round += 1) {
        rates[count]?.push(await withPage(browser, count, (page) => framesDragging(page)));
        progress(ROUNDS + (count === 500 ? ROUNDS : 0) + round + 1, 3 * ROUNDS + 1);
      }
    }
    const growth = await withPage(browser, 200, (page) => heapGrowth(page));
    progress(3 * ROUNDS + 1, 3 * ROUNDS + 1);
    const alone = minutes === undefined ? [] : [await withPage(browser, 200, (page) => heapAlone(page, minutes))];
    return [
      {
        name: "dashboard: all files, gzip",
        unit: "kB",
        samples: [sizes.reduce((a, b) => a + b) / 1000],
        target: { atMost: 60 },
      },
      { name: "dashboard: first paint, 200 peers", unit: "ms", samples: paints, target: { atMost: 1000 } },
      {
        name: "dashboard: frames a second while dragging, 200 peers",
        unit: "fps",
        samples: rates[200] ?? [],
        target: { atLeast: 60 },
      },
      {
        name: "dashboard: frames a second while dragging, 500 peers",
        unit: "fps",
        samples: rates[500] ?? [],
        target: { atLeast: 30 },
      },
      {
        name: `dashboard: heap after ${2 * POLLS} answers over that after ${POLLS}, 200 peers`,
        unit: "x",
        samples: [growth],
        target: { atMost: 1.1 },
      },
      ...alone,
    ];
  } finally {
    await browser.close();
  }
}

async function withPage<Result>(
  browser: Browser,
  count: number,
  measure: (page: Page) => Promise<Result>,
): Promise<Result> {
  const { url, close } = await serve(count);
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  try {
    await page.goto(url);
    await page.waitForSelector(".connection.connected");
    await page.waitForSelector("tbody tr");
    return await measure(page);
  } finally {
    await page.close();
    await close();
  }
}

function firstPaint(page: Page): Promise<number> {
  return page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN);
}

/** A dot is dragged to and fro for a while; what the page could draw meanwhile. */
async function framesDragging(page: Page): Promise<number> {
  const box = await page.locator(".picture canvas").boundingBox();
  if (box === null) throw new Error("the picture is not there");
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const counting = page.evaluate(
    (ms) =>
      new Promise<number>((resolve) => {
        let frames = 0;
        let first: number | undefined;
        const count = (now: number): void => {
          first ??= now;
          if (now - first < ms) requestAnimationFrame(count);
          else resolve((frames * 1000) / (now - first));
          frames += 1;
        };
        requestAnimationFrame(count);
      }),
    DRAG_MS,
  );
  await page.mouse.move(x + 70, y);
  await page.mouse.down();
  const until = performance.now() + DRAG_MS;
  for (let step = 0; performance.now() < until; step += 1) {
    await page.mouse.move(x + 100 * Math.cos(step / 8), y + 100 * Math.sin(step / 8));
  }
  await page.mouse.up();
  return counting;
}

/** The heap of a page each minute, beside that after its first. */
async function heapAlone(page: Page, minutes: number): Promise<Figure> {
  const heap = (): Promise<number> => page.evaluate(heapNow);
  await page.waitForTimeout(60_000);
  const first = await heap();
  const samples: number[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    await page.waitForTimeout(60_000);
    samples.push((await heap()) / first);
    process.stderr.write(`\rdashboard: minute ${minute + 1} of ${minutes} `);
  }
  return {
    name: `dashboard: heap in each of ${minutes} minutes of live data over that after the first, 200 peers`,
    unit: "x",
    samples,
    target: { atMost: 1.1 },
  };
}

/** Runs in the page. */
function heapNow(): number {
  const { gc, performance: measured } = globalThis as unknown as {
    gc: () => void;
    performance: { memory: { usedJSHeapSize: number } };
  };
  gc();
  return measured.memory.usedJSHeapSize;
}

/** Timers of the page run at once, so that ten minutes of answers take seconds. */
async function heapGrowth(page: Page): Promise<number> {
  await page.evaluate(() => {
    const original = globalThis.setTimeout;
    Object.assign(globalThis, { setTimeout: (run: () => void) => original(run, 0) });
  });
  const heapAfter = (polls: number): Promise<number> =>
    page
      .evaluate(async (wanted) => {
        for (let seen = 0; seen < wanted; seen += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
      }, polls)
      .then(() => page.evaluate(heapNow));
  const before = await heapAfter(POLLS);
  return (await heapAfter(POLLS)) / before;
}

async function serve(count: number): Promise<{ url: string; close(): Promise<void> }> {
  const idOf = (n: number): string => (n * 2_654_435_761).toString(16).padStart(16, "0").repeat(4).slice(0, 64);
  const peers = Array.from(
    { length: count },
    (_, n): PeerInfo => ({
      id: idOf(n + 1),
      address: "203.0.113.9:4100",
      link: n % 3 === 0 ? "channel" : "session",
      rttMs: 1 + ((n * 37) % 200),
      since: 1_790_000_000_000,
      anchor: n < 4,
      reachable: true,
    }),
  );
  let asked = 0;
  const handlers: Partial<LocalHandlers> = {
    peers: () => peers.map((peer, n) => ({ ...peer, rttMs: (peer.rttMs ?? 1) * (1 + 0.3 * Math.sin(asked + n)) })),
    status: () => {
      asked += 1;
      return {
        id: idOf(0),
        network: "bench",
        version: "0.0.0",
        uptimeMs: asked * 1000,
        listen: "127.0.0.1:4100",
        observed: null,
        reachability: "unknown",
        bootstrap: [],
        sessions: count,
        channels: 0,
        anchors: [],
        waiting: 0,
        counters: { "udp.sent": asked * 40, "udp.received": asked * 50 },
        price: { send: 1, publish: 1 },
      };
    },
  };
  const http = createServer((request, response) => {
    const name = (request.url ?? "/").slice(1) || "index.html";
    const known = ["index.html", "main.js", "style.css"].includes(name);
    response.writeHead(known ? 200 : 404, { "content-type": TYPES[name.slice(name.indexOf(".") + 1)] ?? "text/plain" });
    response.end(known ? readFileSync(join(FOLDER, name)) : "");
  });
  const socketPath = join(tmpdir(), `starling-bench-${process.pid}`, "s");
  const server = await createLocalServer({ socketPath, handlers: handlers as LocalHandlers });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  server.serveWebSocket(http, { token: TOKEN });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/#token=${TOKEN}`,
    close: async () => {
      await server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
