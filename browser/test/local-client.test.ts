import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  createLocalServer,
  type LocalHandlers,
  type LocalServer,
  type SubmitRequest,
} from "@starling/local-client/server";
import { BrowserPage } from "./browser-page.ts";

const ID = "ab".repeat(32);
const RECEIPT = { messageId: "00".repeat(16), path: "relayed", hops: 2, elapsedMs: 7 } as const;
const directory = mkdtempSync(join(tmpdir(), "starling-"));
const http = createServer();
const submitted: SubmitRequest[] = [];
let page: BrowserPage;
let server: LocalServer;
let url: string;

beforeAll(async () => {
  page = await BrowserPage.open("local-client");
  const submit = async (request: SubmitRequest): Promise<typeof RECEIPT> => {
    submitted.push(request);
    return RECEIPT;
  };
  // The page submits and subscribes; nothing else is asked of the daemon's side.
  server = await createLocalServer({
    socketPath: join(directory, "s"),
    handlers: { submit } as unknown as LocalHandlers,
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  server.serveWebSocket(http, { token: "right", origins: [page.origin] });
  url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/lpc`;
}, 30_000);
afterAll(async () => {
  await page.close();
  await server.close();
  http.close();
  rmSync(directory, { recursive: true });
});

describe("the local client in Chromium", () => {
  test("is refused without the token", async () => {
    expect(await page.call("connect", { url, token: "wrong" })).toBe("E_NO_ACCESS");
  });

  test("submits, and hears what arrives", async () => {
    expect(await page.call("connect", { url, token: "right" })).toBe("connected");
    expect(await page.call("submit", ID)).toEqual(RECEIPT);
    expect(submitted.map(({ to, content }) => [to, [...content]])).toEqual([[ID, [1, 2, 255]]]);
    const content = new TextEncoder().encode("hello, page");
    const [topic, messageId, receivedAt] = ["", RECEIPT.messageId, 1_790_000_000_000];
    const event = { type: "message", from: ID, messageId, topic, content, path: "relayed", receivedAt } as const;
    server.publish({ ...event, redelivered: false });
    expect(await page.call("next", null)).toBe("hello, page");
  });

  test("the page complained of nothing", () => {
    expect(page.complaints).toEqual([]);
  });
});
