import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { connect, type LocalClient, LocalClientError, type LocalEvent } from "../src/index.ts";
import { listenPrivately } from "../src/server/listen.ts";
import { createLocalServer, type LocalHandlers, type SubmitRequest } from "../src/server.ts";
import {
  Bench,
  ID,
  INFO,
  LINK,
  linkOpened,
  message,
  OPEN_MESSAGE,
  offer,
  PEER,
  type Raw,
  RECEIPT,
  STATUS,
} from "./support.ts";

const bench = new Bench();
afterAll(() => bench.end());

async function client(socketPath: string): Promise<LocalClient> {
  const connected = await connect(socketPath);
  bench.later(() => connected.close());
  return connected;
}

const text = (event: LocalEvent | undefined) =>
  event?.type === "message" ? new TextDecoder().decode(event.content) : event?.type;
const rpc = (id: unknown, method: unknown, params?: unknown) => ({ jsonrpc: "2.0", id, method, params });
const error = (id: unknown, number: number, code: string) => ({
  jsonrpc: "2.0",
  id,
  error: { code: number, message: expect.any(String), data: { code } },
});
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (cause) => cause,
  );

/** A submit handler that waits until it is told, and records what it was asked. */
function heldSubmit() {
  const asked: SubmitRequest[] = [];
  const aborted: unknown[] = [];
  let begun: () => void = () => {};
  const oneBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let sawAbort: () => void = () => {};
  const oneAborted = new Promise<void>((resolve) => {
    sawAbort = resolve;
  });
  const submit: LocalHandlers["submit"] = (request, signal) => {
    asked.push(request);
    begun();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        aborted.push(signal.reason);
        reject(signal.reason);
        sawAbort();
      });
    });
  };
  return { submit, asked, aborted, oneBegun, oneAborted };
}

describe("methods", () => {
  test("info, status and peers", async () => {
    const local = await client((await bench.serve()).socketPath);
    expect(await Promise.all([local.info(), local.status(), local.peers()])).toEqual([INFO, STATUS, [PEER]]);
    expect(await Promise.all([local.links(), local.openMessages()])).toEqual([[LINK], [OPEN_MESSAGE]]);
  });

  test("submit hands over what was asked, with its defaults, and gives the receipt", async () => {
    const asked: SubmitRequest[] = [];
    const submit = async (request: SubmitRequest) => {
      asked.push(request);
      return RECEIPT;
    };
    const local = await client((await bench.serve({ handlers: { submit } })).socketPath);
    const content = Uint8Array.of(0, 255, 10);
    expect(await local.submit({ to: ID, content })).toEqual(RECEIPT);
    await local.submit({ to: ID, content, topic: "t", via: "relay", timeoutMs: 1 });
    expect(asked).toEqual([
      { to: ID, content, topic: "", via: "any", timeoutMs: 10_000 },
      { to: ID, content, topic: "t", via: "relay", timeoutMs: 1 },
    ]);
  });

  test("request, reply, broadcast, connect and disconnect", async () => {
    const asked: unknown[] = [];
    const server = await bench.serve({
      handlers: {
        request: async (request) => {
          asked.push(request);
          return { content: Uint8Array.of(7), receipt: RECEIPT };
        },
        reply: async (request) => void asked.push(request),
        broadcast: async (request) => {
          asked.push(request);
          return { messageId: RECEIPT.messageId };
        },
        connect: async (request) => {
          asked.push(request);
          return { link: "both" };
        },
        disconnect: (request) => void asked.push(request),
      },
    });
    const local = await client(server.socketPath);
    const content = Uint8Array.of(1, 2);
    expect(await local.request({ to: ID, content, topic: "q" })).toEqual({
      content: Uint8Array.of(7),
      receipt: RECEIPT,
    });
    await local.reply("11".repeat(16), content);
    expect(await local.broadcast(content, "news")).toEqual({ messageId: RECEIPT.messageId });
    expect(await local.ping({ to: ID, via: "relay" })).toEqual(RECEIPT);
    expect(await local.connectPeer(ID)).toEqual({ link: "both" });
    await local.connectPeer(ID, "127.0.0.1:4100");
    await local.disconnectPeer(ID);
    expect(asked).toEqual([
      { to: ID, content, topic: "q", timeoutMs: 10_000 },
      { requestId: "11".repeat(16), content },
      { content, topic: "news" },
      { id: ID },
      { id: ID, address: "127.0.0.1:4100" },
      { id: ID, silently: false },
    ]);
  });

  test("events of requests and broadcasts keep to the topic, events of links do not", async () => {
    const server = await bench.serve();
    const local = await client(server.socketPath);
    const events = await local.subscribe({ events: ["request", "broadcast", "link"], topic: "t" });
    const base = { from: ID, content: Uint8Array.of(1), receivedAt: 1 } as const;
    server.publish({ type: "request", requestId: "22".repeat(16), path: "channel", topic: "other", ...base });
    server.publish({ type: "request", requestId: "33".repeat(16), path: "channel", topic: "t", ...base });
    server.publish({ type: "broadcast", messageId: "44".repeat(16), topic: "t", ...base });
    server.publish(linkOpened);
    const got = [];
    for (let i = 0; i < 3; i += 1) got.push((await events.next()).value);
    expect(got).toMatchObject([
      { type: "request", requestId: "33".repeat(16), content: Uint8Array.of(1) },
      { type: "broadcast", messageId: "44".repeat(16) },
      { type: "link", change: "opened" },
    ]);
  });

  test("content passes up to 60,000 bytes; more is refused on both sides", async () => {
    const server = await bench.serve({
      handlers: { submit: async ({ content }) => ({ ...RECEIPT, hops: content.length }) },
    });
    const local = await client(server.socketPath);
    expect((await local.submit({ to: ID, content: new Uint8Array(60_000) })).hops).toBe(60_000);
    await expect(local.submit({ to: ID, content: new Uint8Array(60_001) })).rejects.toMatchObject({
      code: "E_TOO_LARGE",
      message: expect.stringContaining("60000"),
    });
    const raw = await bench.raw(server.socketPath);
    for (const size of [60_001, 60_003, 90_000]) {
      const content = Buffer.alloc(size).toString("base64");
      expect(await raw.ask(rpc(1, "message.submit", { to: ID, content }))).toEqual(error(1, -32000, "E_TOO_LARGE"));
    }
  });

  test("a handler's error keeps its code and message; a fault is reported and shows nothing", async () => {
    const faults: unknown[] = [];
    let thrown: Error = new LocalClientError("E_NO_ROUTE", "no way there");
    const server = await bench.serve({
      handlers: { submit: () => Promise.reject(thrown) },
      onFault: (fault) => faults.push(fault),
    });
    const local = await client(server.socketPath);
    const submit = () => rejection(local.submit({ to: ID, content: new Uint8Array(1) }));
    expect(await submit()).toEqual(new LocalClientError("E_NO_ROUTE", "no way there"));
    expect(await submit()).toMatchObject({ code: "E_NO_ROUTE" });
    expect(faults).toEqual([]);
    thrown = new Error("secret detail");
    const failed = await submit();
    expect(failed).toMatchObject({ code: "E_INTERNAL" });
    expect(String(failed)).not.toContain("secret");
    expect(faults).toEqual([thrown]);
  });

  test("trace and ack; a server says whether an event will be acknowledged", async () => {
    const step = { node: ID, asked: "own link", answer: "none", ms: 0 };
    const acked: unknown[] = [];
    const server = await bench.serve({
      handlers: { trace: async () => [step], ack: (request) => void acked.push(request) },
    });
    const local = await client(server.socketPath);
    expect(await local.trace(ID)).toEqual([step]);
    const plain = await local.subscribe({ events: ["message"], topic: "plain" });
    await local.subscribe({ events: ["message", "status", "peer"], topic: "acked", acks: true });
    expect([server.acknowledges(message("m", "plain")), server.acknowledges(message("m", "acked"))]).toEqual([
      false,
      true,
    ]);
    await plain.unsubscribe();
    await local.ack("11".repeat(16), ID);
    expect(acked).toEqual([{ messageId: "11".repeat(16), from: ID }]);
  });
});

describe("what a program may send wrongly", () => {
  test("each is answered with its code, and the connection lives on", async () => {
    const raw = await bench.raw((await bench.serve()).socketPath);
    const submit = (params: unknown) => rpc(7, "message.submit", params);
    const good = { to: ID, content: "YQ==" };
    const badParams = error(7, -32602, "E_BAD_PARAMS");
    const cases: [unknown, unknown][] = [
      ["{", error(null, -32700, "E_PARSE")],
      ["", error(null, -32700, "E_PARSE")],
      ["[".repeat(40) + "]".repeat(40), error(null, -32700, "E_TOO_DEEP")],
      [`{"a":${"[".repeat(500_000)}`, error(null, -32700, "E_TOO_DEEP")],
      ["null", error(null, -32600, "E_BAD_REQUEST")],
      ["7", error(null, -32600, "E_BAD_REQUEST")],
      [{ id: 1, method: "node.info" }, error(null, -32600, "E_BAD_REQUEST")],
      [rpc(1, 5), error(null, -32600, "E_BAD_REQUEST")],
      [rpc({}, "node.info"), error(null, -32600, "E_BAD_REQUEST")],
      [rpc(1, "nonsense"), error(1, -32601, "E_UNKNOWN_METHOD")],
      [rpc(1, "toString"), error(1, -32601, "E_UNKNOWN_METHOD")],
      [rpc(1, "__proto__"), error(1, -32601, "E_UNKNOWN_METHOD")],
      [rpc(7, "node.info", { a: 1 }), badParams],
      [submit(undefined), badParams],
      [submit([ID, "YQ=="]), badParams],
      [submit({ ...good, to: 5 }), badParams],
      [submit({ ...good, to: "a".repeat(1000) }), badParams],
      [submit({ ...good, content: "YQ=" }), badParams],
      [submit({ ...good, content: "YR==" }), badParams],
      [submit({ ...good, content: [1, 2] }), badParams],
      [submit({ ...good, via: "pigeon" }), badParams],
      [submit({ ...good, timeoutMs: 0 }), badParams],
      [submit({ ...good, timeoutMs: 600_001 }), badParams],
      [submit({ ...good, timeoutMs: 1.5 }), badParams],
      [
        `{"jsonrpc":"2.0","id":7,"method":"message.submit","params":{"to":"${ID}","content":"","timeoutMs":1e400}}`,
        badParams,
      ],
      [submit({ ...good, topic: "ö".repeat(65) }), badParams],
      [submit({ ...good, tpoic: "a" }), badParams],
      [rpc(7, "subscribe", { events: [] }), badParams],
      [rpc(7, "subscribe", { events: ["message"], acks: 1 }), badParams],
      [rpc(7, "subscribe", { events: ["toString"] }), badParams],
      [rpc(7, "unsubscribe", { subscription: "s1" }), error(7, -32000, "E_NO_SUBSCRIPTION")],
    ];
    for (const [sent, answer] of cases) expect(await raw.ask(sent)).toEqual(answer);
    expect(await raw.ask(rpc("last", "node.info"))).toEqual({ jsonrpc: "2.0", id: "last", result: INFO });
  });

  test("keys that name a prototype are keys like any other", async () => {
    const raw = await bench.raw((await bench.serve()).socketPath);
    const params = `{"to":"${ID}","content":"YQ==","__proto__":{"via":"relay","polluted":true}}`;
    const line = `{"jsonrpc":"2.0","id":1,"method":"message.submit","params":${params}}`;
    expect(await raw.ask(line)).toEqual(error(1, -32602, "E_BAD_PARAMS"));
    expect(
      await raw.ask('{"jsonrpc":"2.0","id":1,"method":"node.info","constructor":{"prototype":{"polluted":true}}}'),
    ).toEqual({ jsonrpc: "2.0", id: 1, result: INFO });
    expect("polluted" in {}).toBe(false);
  });

  test("a message over 1 MiB gets an error and the end of the connection; others stay", async () => {
    const server = await bench.serve();
    const other = await client(server.socketPath);
    const raw = await bench.raw(server.socketPath);
    raw.write(`"${"x".repeat(1024 * 1024)}`);
    expect(await raw.next()).toEqual(error(null, -32000, "E_TOO_LARGE"));
    await raw.closed;
    expect(await other.info()).toEqual(INFO);
  });
});

describe("batches", () => {
  test("answers come as one array, errors in their places, none for notifications", async () => {
    const raw = await bench.raw((await bench.serve()).socketPath);
    const info = (id: number) => ({ jsonrpc: "2.0", id, result: INFO });
    const batch = [rpc(1, "node.info"), 5, rpc(undefined, "node.info"), rpc(2, "nonsense"), rpc(3, "node.info")];
    expect(await raw.ask(batch)).toEqual([
      info(1),
      error(null, -32600, "E_BAD_REQUEST"),
      error(2, -32601, "E_UNKNOWN_METHOD"),
      info(3),
    ]);
    expect(await raw.ask([rpc(4, "node.info")])).toEqual([info(4)]);
  });

  test("empty and oversized ones are refused, and one of notifications only is not answered", async () => {
    const raw = await bench.raw((await bench.serve({ limits: { batch: 3 } })).socketPath);
    expect(await raw.ask([])).toEqual(error(null, -32600, "E_BAD_REQUEST"));
    expect(await raw.ask([1, 2, 3, 4])).toEqual(error(null, -32600, "E_BAD_REQUEST"));
    raw.write(`${JSON.stringify([rpc(undefined, "node.info")])}\n`);
    expect(await raw.ask(rpc(9, "node.info"))).toMatchObject({ id: 9 });
  });

  test("an answer that would be over the limit is an error instead", async () => {
    const peers = () => Array.from({ length: 3000 }, () => PEER);
    const raw = await bench.raw((await bench.serve({ handlers: { peers } })).socketPath);
    const batch = [1, 2, 3].map((id) => rpc(id, "peers.list"));
    expect(await raw.ask(batch)).toEqual(error(null, -32000, "E_TOO_LARGE"));
    expect(await raw.ask(rpc(4, "peers.list"))).toMatchObject({ id: 4, result: { length: 3000 } });
  });
});

describe("requests under way", () => {
  test("an abort rejects at once and stops the daemon", async () => {
    const held = heldSubmit();
    const local = await client((await bench.serve({ handlers: held })).socketPath);
    const abort = new AbortController();
    const submitted = rejection(local.submit({ to: ID, content: new Uint8Array(1), signal: abort.signal }));
    await held.oneBegun;
    abort.abort();
    expect(await submitted).toMatchObject({ code: "E_ABORTED" });
    await held.oneAborted;
    expect(held.aborted).toMatchObject([{ code: "E_CANCELLED" }]);
    expect(await local.info()).toEqual(INFO);
    const before = rejection(local.submit({ to: ID, content: new Uint8Array(1), signal: abort.signal }));
    expect(await before).toMatchObject({ code: "E_ABORTED" });
    expect(held.asked.length).toBe(1);
  });

  test("a program that is gone has its requests stopped", async () => {
    const held = heldSubmit();
    const local = await client((await bench.serve({ handlers: held })).socketPath);
    const submitted = rejection(local.submit({ to: ID, content: new Uint8Array(1) }));
    await held.oneBegun;
    local.close();
    expect(await submitted).toMatchObject({ code: "E_DISCONNECTED" });
    await held.oneAborted;
  });

  test("a daemon that is gone fails what is open, what is asked later, and every subscription", async () => {
    const held = heldSubmit();
    const server = await bench.serve({ handlers: { submit: held.submit } });
    const local = await client(server.socketPath);
    const subscription = await local.subscribe({ events: ["message"] });
    const next = rejection(subscription.next());
    const submitted = rejection(local.submit({ to: ID, content: new Uint8Array(1) }));
    await held.oneBegun;
    await server.close();
    for (const failed of [submitted, next, rejection(local.info())]) {
      expect(await failed).toMatchObject({ code: "E_DISCONNECTED" });
    }
    expect(existsSync(server.socketPath)).toBe(false);
  });

  test("what a daemon fails as it closes is answered before the connection ends", async () => {
    const held = heldSubmit();
    let fail: (error: Error) => void = () => {};
    const submit: LocalHandlers["submit"] = (request, signal) => {
      void held.submit(request, signal).catch(() => {});
      return new Promise((_, reject) => {
        fail = reject;
      });
    };
    const server = await bench.serve({ handlers: { submit } });
    const local = await client(server.socketPath);
    const submitted = rejection(local.submit({ to: ID, content: new Uint8Array(1) }));
    await held.oneBegun;
    fail(new LocalClientError("E_SHUTTING_DOWN", "stopping"));
    await server.close();
    expect(await submitted).toMatchObject({ code: "E_SHUTTING_DOWN" });
  });

  test("a connection has only so many at a time", async () => {
    const held = heldSubmit();
    const server = await bench.serve({ handlers: { submit: held.submit }, limits: { openRequests: 2 } });
    const raw = await bench.raw(server.socketPath);
    const submit = (id: number) => rpc(id, "message.submit", { to: ID, content: "" });
    raw.write(`${JSON.stringify(submit(1))}\n${JSON.stringify(submit(2))}\n`);
    expect(await raw.ask(submit(3))).toEqual(error(3, -32000, "E_QUOTA"));
    raw.write(`${JSON.stringify(rpc(undefined, "cancel", { id: 1 }))}\n`);
    expect(await raw.next()).toEqual(error(1, -32000, "E_CANCELLED"));
    expect(await raw.ask(rpc(4, "node.info"))).toMatchObject({ id: 4, result: INFO });
  });
});

describe("programs that share a node", () => {
  const limits = { openRequests: 8, sharedRequests: 16 };
  const held = () => {
    let openCount = 0;
    const submit = () => {
      openCount += 1;
      return new Promise<never>(() => {});
    };
    return { handlers: { submit }, openCount: () => openCount };
  };

  test("no number of connections takes all requests: each newcomer is served, and what it may grows with what is free", async () => {
    const hog = held();
    const server = await bench.serve({ handlers: hog.handlers, limits });
    const submits = (count: number) =>
      Array.from(
        { length: count },
        (_, id) => `${JSON.stringify(rpc(id, "message.submit", { to: ID, content: "" }))}\n`,
      );
    const counts: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const raw = await bench.raw(server.socketPath);
      const before = hog.openCount();
      raw.write(submits(9).join(""));
      // Those over the quota are answered; the rest stays open.
      expect(await raw.next()).toMatchObject({ error: { data: { code: "E_QUOTA" } } });
      // An answer to what comes behind them says that all nine were read.
      raw.write(`${JSON.stringify(rpc("end", "nothing"))}\n`);
      for (let answer = await raw.next(); JSON.stringify(answer).includes("end") === false; answer = await raw.next());
      counts.push(hog.openCount() - before);
    }
    expect(counts.slice(0, 4)).toEqual([8, 4, 2, 1]);
    expect(counts.slice(4)).toEqual(Array.from({ length: 8 }, () => 1));
  });

  test("a full server ends the longest idle connection for a new one, tells it why, and none that is in use", async () => {
    const server = await bench.serve({ limits: { connections: 3, idleMs: 0 } });
    const subscriber = await client(server.socketPath);
    const events = await subscriber.subscribe({ events: ["message"] });
    const [first, second] = [await client(server.socketPath), await client(server.socketPath)];
    await second.info();
    await first.info();
    const newcomer = await client(server.socketPath);
    expect(await newcomer.info()).toEqual(INFO);
    // The second was used longest ago; that the subscriber asked for nothing since does not make it idle.
    expect(await rejection(second.info())).toMatchObject({ code: "E_QUOTA" });
    expect(await first.info()).toEqual(INFO);
    server.publish(message("hello"));
    expect((await events.next()).value).toEqual(message("hello"));
  });

  test("where none is idle for long enough the new one is refused with a code", async () => {
    const server = await bench.serve({ limits: { connections: 1 } });
    const only = await client(server.socketPath);
    expect(await only.info()).toEqual(INFO);
    const refused = await bench.raw(server.socketPath);
    expect(await refused.next()).toMatchObject({ id: null, error: { data: { code: "E_QUOTA" } } });
    await refused.closed;
    expect(await rejection((await client(server.socketPath)).info())).toMatchObject({ code: "E_QUOTA" });
    expect(await only.info()).toEqual(INFO);
  });
});

describe("subscriptions", () => {
  /** Resolves when the server's interest changed as often as this. */
  function interest() {
    let count = 0;
    const waiting: { readonly at: number; readonly resolve: () => void }[] = [];
    const onInterest = (): void => {
      count += 1;
      for (const { at, resolve } of waiting) if (at <= count) resolve();
    };
    const times = (at: number) =>
      new Promise<void>((resolve) => {
        if (at <= count) resolve();
        else waiting.push({ at, resolve });
      });
    return { onInterest, times };
  }

  test("events go to those who want them, in order, with their topic, until they unsubscribe", async () => {
    const server = await bench.serve();
    const [one, two] = [await client(server.socketPath), await client(server.socketPath)];
    const all = await one.subscribe({ events: ["message", "link"] });
    const some = await two.subscribe({ events: ["message"], topic: "b" });
    expect(offer(server, message("1", "a"))).toBe("ready");
    server.publish(linkOpened);
    expect(offer(server, message("2", "b"))).toBe("ready");
    expect([text((await all.next()).value), (await all.next()).value, text((await all.next()).value)]).toEqual([
      "1",
      linkOpened,
      "2",
    ]);
    const { value } = await some.next();
    expect(value).toEqual(message("2", "b"));
    expect([server.hasSubscriber("message"), server.hasSubscriber("link")]).toEqual([true, true]);
    await all.unsubscribe();
    expect([server.hasSubscriber("message"), server.hasSubscriber("link")]).toEqual([true, false]);
    expect(await all.next()).toEqual({ done: true, value: undefined });
    expect(offer(server, message("3", "a"))).toBe("nobody");
    expect(offer(server, message("4", "b"))).toBe("ready");
  });

  test("what waits is told right behind the answer, and is not lost", async () => {
    const waiting = ["1", "2", "3"];
    const onInterest = () => {
      while (waiting[0] !== undefined && offer(server, message(waiting[0])) === "ready") waiting.shift();
    };
    const server = await bench.serve({ onInterest });
    const local = await client(server.socketPath);
    const got: unknown[] = [];
    for await (const event of await local.subscribe({ events: ["message"] })) {
      got.push(text(event));
      if (got.length === 3) break;
    }
    expect(got).toEqual(["1", "2", "3"]);
    // Leaving the loop ended the subscription.
    expect(offer(server, message("4"))).toBe("nobody");
  });

  test("there are at most so many on a connection", async () => {
    const local = await client((await bench.serve({ limits: { subscriptions: 2 } })).socketPath);
    const first = await local.subscribe({ events: ["message"] });
    await local.subscribe({ events: ["link"] });
    await expect(local.subscribe({ events: ["link"] })).rejects.toMatchObject({ code: "E_QUOTA" });
    await first.unsubscribe();
    await local.subscribe({ events: ["link"] });
  });

  test("one that does not read is congested above the mark, and dropped above the limit; others get all", async () => {
    const { onInterest, times } = interest();
    const limits = { congestedBytes: 100_000, unreadMaxBytes: 400_000 };
    const server = await bench.serve({ onInterest, limits });
    const slow = await bench.raw(server.socketPath);
    await slow.ask(rpc(1, "subscribe", { events: ["message"] }));
    await times(1);
    slow.socket.pause();
    const large = message("x".repeat(50_000));
    let sent = 0;
    while (offer(server, large) === "ready") sent += 1;
    // What the kernel took is not ours to know; what we hold is bounded.
    expect(sent).toBeLessThan(100);
    expect(offer(server, large)).toBe("congested");

    const quick = await client(server.socketPath);
    const events = await quick.subscribe({ events: ["message"] });
    for (let at = 0; at < 20; at += 1) {
      expect(offer(server, large)).toBe("ready");
      await events.next();
    }
    // All but the quick one were dropped on the way.
    await events.unsubscribe();
    expect(offer(server, large)).toBe("nobody");
    slow.socket.resume();
    let last: unknown;
    for (let line = await slow.next(); line !== undefined; line = await slow.next()) {
      last = line;
      if (JSON.stringify(line).includes("E_SLOW_SUBSCRIBER")) break;
    }
    expect(last).toMatchObject({ method: "event", params: { subscription: "s1", type: "dropped" } });
    expect(await slow.ask(rpc(2, "node.info"))).toMatchObject({ id: 2, result: INFO });
  });

  test("one that is ended wants nothing more: what comes then is kept, not written into its end", async () => {
    const demands: string[] = [];
    const server = await bench.serve({ onInterest: () => demands.push(server.demand(message("kept"))) });
    const acking = await client(server.socketPath);
    await acking.subscribe({ events: ["message"], acks: true });
    const slow = await bench.raw(server.socketPath);
    await slow.ask(rpc(1, "subscribe", { events: ["message"] }));
    // It does not hear of the end, asks for more, and so outlasts the other.
    slow.socket.pause();
    const closing = server.close();
    await new Promise((ended) => setImmediate(ended));
    slow.write(`${JSON.stringify(rpc(2, "subscribe", { events: ["message"] }))}\n`);
    demands.length = 0;
    await closing;
    expect(new Set(demands)).toEqual(new Set(["nobody"]));
    expect(server.hasSubscriber("message")).toBe(false);
  });

  test("one that sent too much wants nothing more either", async () => {
    const server = await bench.serve();
    const raw = await bench.raw(server.socketPath);
    await raw.ask(rpc(1, "subscribe", { events: ["message"] }));
    raw.write(`"${"x".repeat(1024 * 1024)}`);
    expect(await raw.next()).toEqual(error(null, -32000, "E_TOO_LARGE"));
    expect(offer(server, message("kept"))).toBe("nobody");
    await raw.closed;
  });

  test("a program that reads again gets what was kept", async () => {
    const { onInterest, times } = interest();
    const server = await bench.serve({ onInterest, limits: { congestedBytes: 100_000 } });
    const slow = await bench.raw(server.socketPath);
    await slow.ask(rpc(1, "subscribe", { events: ["message"] }));
    await times(1);
    slow.socket.pause();
    const large = message("x".repeat(50_000));
    while (offer(server, large) === "ready");
    slow.socket.resume();
    await times(2);
    expect(offer(server, large)).toBe("ready");
  });

  test("a client ends a subscription that its daemon dropped with the daemon's error", async () => {
    const server = await bench.serve({ limits: { unreadMaxBytes: 1000 } });
    const local = await client(server.socketPath);
    const events = await local.subscribe({ events: ["message"] });
    server.publish(message("short"));
    server.publish(message("x".repeat(2000)));
    expect(text((await events.next()).value)).toBe("short");
    await expect(events.next()).rejects.toMatchObject({ code: "E_SLOW_SUBSCRIBER" });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });
});

describe("the socket", () => {
  // Nobody but root can start a process of another user.
  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot("another user's process is kept out of it", async () => {
    const server = await bench.serve();
    const user = process.geteuid?.() ?? 0;
    process.seteuid?.(65_534);
    const refused = rejection(connect(server.socketPath));
    process.seteuid?.(user);
    expect(await refused).toMatchObject({ code: "E_NO_ACCESS" });
  });

  test("a thousand idle connections cost the others nothing: what is over the limit is closed", async () => {
    const server = await bench.serve();
    const local = await client(server.socketPath);
    const idle: Raw[] = [];
    for (let i = 0; i < 1000; i += 1) idle.push(await bench.raw(server.socketPath));
    // 256 connections are allowed, and one is the client's.
    await Promise.all(idle.slice(255).map(({ closed }) => closed));
    expect(await local.info()).toEqual(INFO);
    for (const { socket } of idle) socket.destroy();
    await Promise.all(idle.map(({ closed }) => closed));
    // Room comes as the server hears of each end.
    const infoOf = async () => (await client(server.socketPath)).info().catch(() => undefined);
    let again = await infoOf();
    for (const deadline = performance.now() + 10_000; again === undefined && performance.now() < deadline; )
      again = await infoOf();
    expect(again).toEqual(INFO);
  }, 30_000);

  test("only its owner may use it, and its directory is made for the owner alone", async () => {
    const { directory } = bench.place();
    const socketPath = join(directory, "made", "s");
    const umask = process.umask(0);
    try {
      const server = await bench.serve({ socketPath });
      expect(statSync(socketPath).mode & 0o777).toBe(0o600);
      expect(statSync(join(directory, "made")).mode & 0o777).toBe(0o700);
      expect(process.umask()).toBe(0);
      await server.close();
    } finally {
      process.umask(umask);
    }
  });

  test("a second server is refused, a dead one's socket taken over, and no other file touched", async () => {
    const server = await bench.serve();
    const { directory, socketPath } = server;
    await expect(bench.serve({ socketPath })).rejects.toMatchObject({ code: "E_SOCKET_IN_USE" });
    expect(await (await client(socketPath)).info()).toEqual(INFO);

    const dead = join(directory, "dead");
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(`${dead}.own`, resolve));
    // Closing would unlink it: renamed first, it stays like one whose process was killed.
    renameSync(`${dead}.own`, dead);
    await new Promise((resolve) => holder.close(resolve));
    expect(existsSync(dead)).toBe(true);
    const taken = await bench.serve({ socketPath: dead });
    expect(await (await client(dead)).info()).toEqual(INFO);
    await taken.close();

    const file = join(directory, "file");
    writeFileSync(file, "kept");
    await expect(bench.serve({ socketPath: file })).rejects.toMatchObject({ code: "E_SOCKET_IN_USE" });
    expect(statSync(file).size).toBe(4);
  });

  test("a directory that others may write to is refused, and so is a path that does not fit", async () => {
    const { directory } = bench.place();
    const open = join(directory, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    const options = { handlers: {} as LocalHandlers };
    await expect(createLocalServer({ ...options, socketPath: join(open, "s") })).rejects.toMatchObject({
      code: "E_SOCKET_DIRECTORY",
      message: expect.stringContaining("chmod"),
    });
    const long = join(directory, "x".repeat(110));
    await expect(createLocalServer({ ...options, socketPath: long })).rejects.toMatchObject({
      code: "E_BAD_SOCKET_PATH",
    });
    await expect(connect(long)).rejects.toMatchObject({ code: "E_BAD_SOCKET_PATH" });
    expect(readdirSync(directory)).toEqual(["open"]);
  });

  test("a socket that is taken away while it is being made is told of, and nothing goes on listening", async () => {
    const { directory } = bench.place();
    const socketPath = join(directory, "s");
    const server = createServer();
    server.once("listening", () => unlinkSync(socketPath));
    await expect(listenPrivately(server, socketPath)).rejects.toMatchObject({ code: "E_SOCKET_DIRECTORY" });
    expect(server.listening).toBe(false);
  });

  test("connecting where nobody listens says so", async () => {
    const { socketPath } = bench.place();
    const failed = await rejection(connect(socketPath));
    expect(failed).toBeInstanceOf(LocalClientError);
    expect(failed).toMatchObject({ code: "E_NO_DAEMON", message: expect.stringContaining(socketPath) });
  });
});

describe("a client that reconnects", () => {
  test("goes on with its subscriptions and calls when its daemon is back; what was open has failed", async () => {
    const { socketPath } = bench.place();
    const never = { submit: () => new Promise<never>(() => {}) };
    const first = await bench.serve({ socketPath, handlers: never });
    const local = await connect(socketPath, { reconnect: true });
    bench.later(() => local.close());
    const events = await local.subscribe({ events: ["message"], topic: "t" });
    const open = rejection(local.submit({ to: ID, content: Uint8Array.of(1) }));
    await local.info();
    await first.close();
    expect(await open).toMatchObject({ code: "E_DISCONNECTED" });
    const waiting = local.info();
    const abort = new AbortController();
    const aborted = rejection(local.submit({ to: ID, content: Uint8Array.of(1), signal: abort.signal }));
    abort.abort();
    expect(await aborted).toMatchObject({ code: "E_ABORTED" });
    const { onInterest, times } = subscribed();
    const second = await bench.serve({ socketPath, onInterest });
    expect(await waiting).toEqual(INFO);
    await times;
    second.publish({ ...message("hello"), topic: "t" });
    expect(text((await events.next()).value)).toBe("hello");
    await events.unsubscribe();
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await second.close();
  });

  test("ends when its program closes it, though no daemon comes back", async () => {
    const server = await bench.serve();
    const local = await connect(server.socketPath, { reconnect: true });
    const events = await local.subscribe({ events: ["link"] });
    await server.close();
    const waiting = rejection(local.info());
    local.close();
    expect(await waiting).toMatchObject({ code: "E_DISCONNECTED" });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  function subscribed(): { onInterest: () => void; times: Promise<void> } {
    let onInterest = (): void => {};
    const times = new Promise<void>((resolve) => {
      onInterest = resolve;
    });
    return { onInterest: () => onInterest(), times };
  }
});
