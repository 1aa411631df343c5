// The page's connection to its node, which here is a server of the local API alone.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createLocalServer, type LocalHandlers, type LocalServer } from "@starling/local-client/server";
import { feed } from "../src/feed.ts";

const TOKEN = "0123456789abcdef".repeat(4);
const http = createServer();
let directory: string;
let server: LocalServer;
let onInterest = (): void => {};
let status: () => unknown;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "dashboard-"));
  server = await createLocalServer({
    socketPath: join(directory, "s"),
    handlers: { status: () => status(), peers: () => [] } as unknown as LocalHandlers,
    onInterest: () => onInterest(),
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  server.serveWebSocket(http, { token: TOKEN });
});
afterEach(async () => {
  await server.close();
  await new Promise((resolve) => http.close(resolve));
  rmSync(directory, { recursive: true });
});

test("a connection whose answers are not understood is ended before the next one is made", async () => {
  status = () => ({});
  const gone = new Promise<void>((resolve) => {
    let wasThere = false;
    onInterest = () => {
      if (wasThere && !server.hasSubscriber("link")) resolve();
      wasThere ||= server.hasSubscriber("link");
    };
  });
  const options = { url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/lpc`, token: TOKEN };
  const lost: [string, boolean][] = [];
  const ended = feed(options, {
    onConnected() {},
    onSnapshot() {},
    onEvent() {},
    onLost({ code }, isFinal) {
      lost.push([code, isFinal]);
      // The next connection ends it all.
      options.token = "wrong";
    },
  });
  await gone;
  await ended;
  expect(lost).toEqual([
    ["E_BAD_ANSWER", false],
    ["E_NO_ACCESS", true],
  ]);
}, 10_000);
