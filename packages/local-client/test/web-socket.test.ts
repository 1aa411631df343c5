// The local client protocol over a loopback WebSocket: the same as over the socket, and who may use it.
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect as connectSocket, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { WebSocket as RawWebSocket, WebSocketServer } from "ws";
import type { LocalServerOptions } from "../src/server.ts";
import { connectWebSocket, type LocalClient, type LocalClientError } from "../src/web-socket.ts";
import { Bench, ID, INFO, message, offer, RECEIPT } from "./support.ts";

const TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

type Options = Partial<Omit<LocalServerOptions, "handlers">> & { handlers?: Partial<LocalServerOptions["handlers"]> };

async function serve(options: Options = {}) {
  const http = createServer((_request, response) => response.end());
  bench.later(() => http.close());
  const server = await bench.serve(options);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  server.serveWebSocket(http, { token: TOKEN, origins: ["http://localhost:5173"] });
  const { port } = http.address() as AddressInfo;
  return { ...server, http, port, url: `ws://127.0.0.1:${port}/lpc` };
}

async function connect(url: string, token = TOKEN): Promise<LocalClient> {
  const client = await connectWebSocket({ url, token });
  bench.later(() => client.close());
  return client;
}

/** A connection that speaks for itself. */
async function raw(url: string, headers: Record<string, string> = {}) {
  const socket = new RawWebSocket(url, { headers });
  const seen: unknown[] = [];
  let arrived = (): void => {};
  socket.on("message", (data: Buffer) => {
    seen.push(JSON.parse(data.toString()));
    arrived();
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  bench.later(() => socket.terminate());
  await new Promise<void>((resolve) => socket.once("open", resolve));
  const next = async (): Promise<unknown> => {
    while (seen.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
    return seen.shift();
  };
  const ask = (text: string): Promise<unknown> => {
    socket.send(text);
    return next();
  };
  return { socket, closed, next, ask };
}

const rpc = (id: number, method: string, params?: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const authenticate = rpc(0, "authenticate", { token: TOKEN });
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: LocalClientError) => error.code,
  );

/** The status of an upgrade with these headers. */
function knock(port: number, headers: Record<string, string>, path = "/lpc"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    const request = httpRequest({ host: "127.0.0.1", port, path, headers: { ...upgrade, ...headers } });
    request.on("response", ({ statusCode }) => resolve(statusCode));
    request.on("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    request.on("error", reject);
    request.end();
  });
}

describe("with the token, a WebSocket is as good as the socket", () => {
  test("calls, errors, events in order", async () => {
    const server = await serve();
    const client = await connect(server.url);
    expect(await client.info()).toEqual(INFO);
    expect(await client.submit({ to: ID, content: Uint8Array.of(1) })).toEqual(RECEIPT);
    const events = await client.subscribe({ events: ["message"], topic: "t" });
    for (let at = 0; at < 100; at += 1) server.publish(message(String(at), "t"));
    for (let at = 0; at < 100; at += 1) {
      const { value } = await events.next();
      expect(new TextDecoder().decode(value?.content)).toBe(String(at));
    }
    await events.unsubscribe();
    await server.close();
    expect(await codeOf(client.info())).toBe("E_DISCONNECTED");
  });

  test("limits hold: depth and size before parsing", async () => {
    const server = await serve();
    const { ask, socket, closed } = await raw(server.url);
    expect(await ask(authenticate)).toMatchObject({ id: 0, result: {} });
    expect(await ask(`${"[".repeat(20_000)}${"]".repeat(20_000)}`)).toMatchObject({
      error: { data: { code: "E_TOO_DEEP" } },
    });
    expect(await ask(rpc(1, "node.info"))).toMatchObject({ id: 1, result: INFO });
    socket.send("x".repeat(1024 * 1024 + 1));
    expect(await closed).toBe(1009);
    expect(await (await connect(server.url)).info()).toEqual(INFO);
  });

  test("one that does not read is congested, then dropped; its requests stop when it is gone", async () => {
    let stopped: (() => void) | undefined;
    const isStopped = new Promise<void>((resolve) => (stopped = resolve));
    const submit = (_request: unknown, signal: AbortSignal): Promise<never> =>
      new Promise(() => signal.addEventListener("abort", () => stopped?.()));
    const limits = { congestedBytes: 100_000, unreadMaxBytes: 400_000 };
    const server = await serve({ limits, handlers: { submit } });
    const slow = await raw(server.url);
    await slow.ask(authenticate);
    await slow.ask(rpc(1, "subscribe", { events: ["message"] }));
    slow.socket.send(rpc(2, "message.submit", { to: ID, content: "" }));
    await slow.ask(rpc(3, "node.info"));
    slow.socket.pause();
    const large = message("x".repeat(50_000));
    let sent = 0;
    while (offer(server, large) === "ready") sent += 1;
    expect(sent).toBeLessThan(200);
    expect(server.demand(large)).toBe("congested");
    for (let at = 0; at < 10; at += 1) server.publish(large);
    expect(server.demand(large)).toBe("nobody");
    slow.socket.terminate();
    await isStopped;
  });
});

describe("a server that stops", () => {
  test("hands out nothing to a program that is behind, for none of it would arrive", async () => {
    const large = message("x".repeat(50_000));
    let handedOut = 0;
    let isBehind = (): void => {};
    const behind = new Promise<void>((resolve) => (isBehind = resolve));
    const onInterest = (): void => {
      while (handedOut < 200 && offer(server, large) === "ready") handedOut += 1;
      if (server.demand(large) === "congested") isBehind();
    };
    const server = await serve({ onInterest, limits: { congestedBytes: 100_000 } });
    const slow = await raw(server.url);
    await slow.ask(authenticate);
    slow.socket.pause();
    slow.socket.send(rpc(1, "subscribe", { events: ["message"] }));
    await behind;
    const before = handedOut;
    const closing = server.close();
    await new Promise((ended) => setImmediate(ended));
    // It reads on, which makes room in a connection that has ended.
    slow.socket.resume();
    await closing;
    await slow.closed;
    expect(handedOut).toBe(before);
  });
});

describe("without it, nothing runs", () => {
  test("a wrong token is refused, whatever its length", async () => {
    const server = await serve();
    for (const token of ["", "x", `${TOKEN}0`, TOKEN.replace("0", "1")]) {
      expect(await codeOf(connect(server.url, token))).toBe("E_NO_ACCESS");
    }
  });

  test.each([
    ["another method", rpc(1, "node.info")],
    ["a batch", JSON.stringify([JSON.parse(authenticate), JSON.parse(rpc(1, "node.info"))])],
    ["no JSON", "hello"],
    ["an id that is missing", JSON.stringify({ jsonrpc: "2.0", method: "authenticate", params: { token: TOKEN } })],
    ["no token", rpc(1, "authenticate")],
    ["a token that is none", rpc(1, "authenticate", { token: [TOKEN] })],
  ])("a first message that is %s ends the connection", async (_name, first) => {
    let calls = 0;
    const info = (): typeof INFO => {
      calls += 1;
      return INFO;
    };
    const server = await serve({ handlers: { info } });
    const { ask, socket, closed } = await raw(server.url);
    const answer = ask(first);
    socket.send(rpc(9, "node.info"));
    expect(await answer).toMatchObject({ error: { data: { code: "E_NO_ACCESS" } } });
    expect(await closed).toBe(1008);
    expect(calls).toBe(0);
  });

  test("silence ends it, and only so many may be silent at a time", async () => {
    const server = await serve({ limits: { strangers: 2, tokenMs: 200 } });
    const silent = [await raw(server.url), await raw(server.url)];
    expect(await knock(server.port, {})).toBe(503);
    expect(await Promise.all(silent.map(({ closed }) => closed))).toEqual([1008, 1008]);
    expect(await (await connect(server.url)).info()).toEqual(INFO);
  });

  test("whoever is refused gives its place back, though it does not end its half", async () => {
    const { http, port } = await serve();
    const refused = Array.from({ length: 8 }, async () => {
      const socket = connectSocket({ host: "127.0.0.1", port, allowHalfOpen: true });
      bench.later(() => socket.destroy());
      const head = [`Host: 127.0.0.1:${port}`, "Connection: Upgrade", "Upgrade: websocket"].join("\r\n");
      socket.write(`GET /nope HTTP/1.1\r\n${head}\r\n\r\n`);
      const answer = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
      expect(answer.toString()).toMatch(/^HTTP\/1.1 404 /);
    });
    await Promise.all(refused);
    // It resolves when all connections have ended.
    await new Promise((resolve) => http.close(resolve));
  });

  test("so do one that was silent and one with a wrong token, though they do not answer to the end", async () => {
    const server = await serve({ limits: { strangers: 2, tokenMs: 500 } });
    const places: Promise<void>[] = [];
    server.http.on("connection", (socket: Socket) => {
      places.push(new Promise((resolve) => socket.once("close", () => resolve())));
    });
    const [silent, wrong] = [await raw(server.url), await raw(server.url)];
    for (const { socket } of [silent, wrong]) socket.pause();
    wrong.socket.send(rpc(0, "authenticate", { token: "wrong" }));
    expect(await knock(server.port, {})).toBe(503);
    await Promise.all(places);
    expect(await (await connect(server.url)).info()).toEqual(INFO);
  });

  test("a page elsewhere, and a name that DNS turned to loopback, are refused", async () => {
    const { port } = await serve();
    const host = `127.0.0.1:${port}`;
    const refused = [
      { host: `127.0.0.1.attacker.example:${port}` },
      { host: "attacker.example" },
      { host: "127.0.0.1" },
      { host, origin: "http://attacker.example" },
      { host, origin: "null" },
      { host, origin: `https://${host}` },
      { host, origin: `http://127.0.0.1:${port}.attacker.example` },
      { host, origin: "http://localhost:5174" },
    ];
    for (const headers of refused) expect([headers, await knock(port, headers)]).toEqual([headers, 403]);
    const taken = [
      { host },
      { host, origin: `http://${host}` },
      { host: `localhost:${port}`, origin: `http://localhost:${port}` },
      { host: `[::1]:${port}` },
      { host, origin: "http://localhost:5173" },
    ];
    for (const headers of taken) expect([headers, await knock(port, headers)]).toEqual([headers, 101]);
    expect(await knock(port, { host }, "/lpc/../x")).toBe(404);
  });

  test("what else goes wrong before the token is taken is told as what it is", async () => {
    const server = await serve({ limits: { connections: 1 } });
    await connect(server.url);
    expect(await codeOf(connect(server.url))).toBe("E_QUOTA");
    const answers: (string | undefined)[] = [undefined, "{}", JSON.stringify({ jsonrpc: "2.0", id: 0 })];
    const strange = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    bench.later(() => strange.close());
    strange.on("connection", (socket) => {
      socket.once("message", () => {
        const answer = answers.shift();
        if (answer !== undefined) socket.send(answer);
        socket.close();
      });
    });
    await new Promise((resolve) => strange.once("listening", resolve));
    const url = `ws://127.0.0.1:${(strange.address() as AddressInfo).port}`;
    expect(await codeOf(connect(url))).toBe("E_DISCONNECTED");
    expect(await codeOf(connect(url))).toBe("E_BAD_ANSWER");
    expect(await codeOf(connect(url))).toBe("E_BAD_ANSWER");
  });

  test("nobody there says so", async () => {
    const server = await serve();
    const { port } = server;
    expect(await codeOf(connect(`ws://127.0.0.1:${port}/other`))).toBe("E_NO_DAEMON");
  });
});
