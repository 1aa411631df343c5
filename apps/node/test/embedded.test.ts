import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "@jest/globals";
import { connect } from "@starling/local-client";
import { createNode, type Testnet, testnet } from "../src/index.ts";

let net: Testnet | undefined;
afterEach(async () => {
  await net?.close();
  net = undefined;
});

describe("in another program", () => {
  test("a testnet of three talks, asks, and leaves nothing behind", async () => {
    net = await testnet(3);
    const [a, b, c] = net.nodes;
    if (a === undefined || b === undefined || c === undefined) throw new Error("three nodes were asked for");
    const messages = await b.client.subscribe({ events: ["message"] });
    const receipt = await a.client.submit({ to: b.id, content: Uint8Array.of(1, 2, 3), topic: "t", via: "relay" });
    expect(receipt).toMatchObject({ path: "relayed", hops: 2 });
    expect((await messages.next()).value).toMatchObject({ from: a.id, topic: "t", content: Uint8Array.of(1, 2, 3) });
    const broadcasts = await c.client.subscribe({ events: ["broadcast"] });
    await b.client.broadcast(Uint8Array.of(9));
    expect((await broadcasts.next()).value).toMatchObject({ from: b.id, content: Uint8Array.of(9) });
    const { counters } = await a.client.status();
    expect(Math.min(counters["udp.sent"] ?? 0, counters["udp.received.bytes"] ?? 0)).toBeGreaterThan(0);
    const folders = net.nodes.map(({ socket }) => dirname(socket));
    await net.close();
    net = undefined;
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  }, 30_000);

  test("acknowledged subscriptions: what was not comes again, marked, and in its place", async () => {
    net = await testnet(2);
    const [a, b] = net.nodes;
    if (a === undefined || b === undefined) throw new Error("two nodes were asked for");
    const first = await connect(b.socket);
    const messages = await first.subscribe({ events: ["message"], acks: true });
    for (const byte of [1, 2, 3]) await a.client.submit({ to: b.id, content: Uint8Array.of(byte) });
    const got = [];
    for (let i = 0; i < 3; i += 1) got.push((await messages.next()).value);
    expect(got.map((event) => event?.redelivered)).toEqual([false, false, false]);
    await first.ack(got[1]?.messageId ?? "", a.id);
    await expect(first.ack(got[1]?.messageId ?? "", a.id)).rejects.toMatchObject({ code: "E_NO_MESSAGE" });
    expect((await first.status()).waiting).toBe(2);
    first.close();
    const again = await b.client.subscribe({ events: ["message"] });
    const second = [(await again.next()).value, (await again.next()).value];
    expect(second.map((event) => [event?.content[0], event?.redelivered])).toEqual([
      [1, true],
      [3, true],
    ]);
    expect((await b.client.status()).waiting).toBe(0);
    const steps = await a.client.trace(b.id);
    expect(steps[0]).toMatchObject({ node: a.id, asked: "own link" });
    expect(steps.at(-1)?.answer).toMatch(/session|channel|attached|yes/);
  }, 30_000);

  test("a link to an address that a program knows; an address where nobody is; what is no address", async () => {
    const [a, b] = await Promise.all([createNode({ listen: "127.0.0.1:0" }), createNode({ listen: "127.0.0.1:0" })]);
    try {
      const address = b.contact.split("@")[1] ?? "";
      expect(await a.client.connectPeer(b.id, address)).toEqual({ link: "session" });
      expect(await a.client.peers()).toMatchObject([{ id: b.id, address, link: "session" }]);
      expect((await a.client.submit({ to: b.id, content: Uint8Array.of(1) })).path).toBe("session");
      // What is tried again under the program's own id arrives once.
      const messages = await b.client.subscribe({ events: ["message"], topic: "once" });
      const messageId = "ab".repeat(16);
      for (const id of [messageId, messageId, "cd".repeat(16)]) {
        const message = { to: b.id, content: Uint8Array.of(2), topic: "once", messageId: id };
        expect((await a.client.submit(message)).messageId).toBe(id);
      }
      for (const id of [messageId, "cd".repeat(16)]) expect((await messages.next()).value?.messageId).toBe(id);
      await expect(a.client.submit({ to: b.id, content: Uint8Array.of(2), messageId: "short" })).rejects.toMatchObject({
        code: "E_BAD_PARAMS",
      });
      const nobody = "aa".repeat(31);
      const wrong = a.client.connectPeer(`${nobody}07`, address);
      await expect(wrong).rejects.toMatchObject({ code: "E_NO_ROUTE" });
      await expect(a.client.connectPeer(b.id, "nowhere")).rejects.toMatchObject({ code: "E_BAD_ADDRESS" });
      await expect(a.client.connectPeer(a.id, address)).rejects.toMatchObject({ code: "E_BAD_ID" });
    } finally {
      await Promise.all([a.close(), b.close()]);
    }
  }, 30_000);

  test("a testnet of which one node fails to start leaves none of the others behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "starling-embedded-"));
    const code = `
      import { readdirSync } from "node:fs";
      import { testnet } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const { umask } = process;
      // The first of them that locks its directory.
      process.umask = () => {
        process.umask = umask;
        throw new Error("no lock");
      };
      const error = await testnet(3).catch((reason) => reason);
      console.log(JSON.stringify([error.code, ...readdirSync(${JSON.stringify(folder)})]));`;
    const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source", "--input-type=module"];
    const env = { ...process.env, TMPDIR: folder };
    const ended = spawnSync(process.execPath, [...flags, "-e", code], { encoding: "utf8", env, timeout: 25_000 });
    rmSync(folder, { recursive: true, force: true });
    // It ends by itself, too: nothing was left running.
    expect(ended).toMatchObject({ status: 0, stdout: '["E_DATA_DIR_UNUSABLE"]\n', stderr: "" });
  }, 30_000);

  test("in a worker it is told to go to the main thread", async () => {
    const code = `
      import { parentPort } from "node:worker_threads";
      import { createNode } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      parentPort.postMessage(await createNode().then(() => "started", ({ code }) => code));`;
    const execArgv = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { execArgv });
    const [told] = await once(worker, "message", { signal: AbortSignal.timeout(20_000) });
    await worker.terminate();
    expect(told).toBe("E_WORKER_THREAD");
  }, 30_000);

  test("a wrong setting names itself", async () => {
    await expect(createNode({ listen: "nowhere" })).rejects.toMatchObject({
      code: "E_CONFIG",
      message: expect.stringContaining("listen"),
    });
  });
});
