import { createSocket, type Socket } from "node:dgram";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect, type LocalClient } from "@starling/local-client";
import { DaemonChild, run, within } from "@starling/test-processes";

// Real processes on loopback: a relay, two nodes, and the programs of people.

const folder = mkdtempSync(join(tmpdir(), "starling-processes-"));
const children: DaemonChild[] = [];
const dir = (name: string) => join(folder, name);
const bytes = (text: string) => new TextEncoder().encode(text);
const NOBODY = `09${"00".repeat(31)}`;

function start(program: "node" | "relay", name: string, ...args: string[]): DaemonChild {
  const common = ["start", "--data-dir", dir(name), "--listen", "127.0.0.1:0", "--network", "test"];
  const child = new DaemonChild(program, [...common, ...args]);
  children.push(child);
  return child;
}

let relay: Awaited<ReturnType<DaemonChild["ready"]>>;
let relayChild: DaemonChild;
let alice: Awaited<ReturnType<DaemonChild["ready"]>>;
let bob: Awaited<ReturnType<DaemonChild["ready"]>>;
let bobChild: DaemonChild;
let bootstrap: string[];

beforeAll(async () => {
  relayChild = start("relay", "relay", "--http", "127.0.0.1:0");
  relay = await relayChild.ready();
  bootstrap = ["--bootstrap", `${relay.id}@${relay.listen}`];
  const aliceChild = start("node", "alice", ...bootstrap);
  bobChild = start("node", "bob", ...bootstrap);
  [alice, bob] = await Promise.all([aliceChild.ready(), bobChild.ready()]);
  for (const child of [aliceChild, bobChild])
    await child.log(({ msg }) => msg === "link opened", "a link to the relay");
}, 60_000);

afterAll(async () => {
  await Promise.all(children.map((child) => child.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const socketOf = (node: { socket: string }) => ["--socket", node.socket];

async function metric(name: string, label: string): Promise<number> {
  const text = await (await fetch(`http://${relay.http}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

describe("a message between two command lines", () => {
  test("goes over the relay, which counts it once, and `send` exits 0 with a receipt", async () => {
    const before = await metric("starling_forwarded_total", 'class="send"');
    const listener = new DaemonChild("node", ["listen", "--json", ...socketOf(bob)]);
    children.push(listener);
    const sent = await run("node", ["send", bob.id, "hello bob", "--via", "relay", "--json", ...socketOf(alice)]);
    expect(sent).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(sent.stdout)).toMatchObject({ path: "relayed", hops: 2 });
    const heard = await listener.log(({ type }) => type === "message", "the message");
    expect(heard).toMatchObject({ from: alice.id, text: "hello bob" });
    expect((await metric("starling_forwarded_total", 'class="send"')) - before).toBe(1);
    expect((await listener.stop("SIGINT")).code).toBe(0);
  }, 40_000);

  test("`starling-relay status` tells of it, and of a relay that is not there", async () => {
    const told = await run("relay", ["status", "--http", relay.http, "--json"]);
    expect(told.code).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({ health: "ok", id: relay.id });
    expect(await run("relay", ["status"])).toMatchObject({ code: 3, stderr: expect.stringContaining("--http") });
  }, 30_000);

  test("to nobody fails within its timeout, says what to do, and exits 5", async () => {
    const sent = await run("node", ["send", NOBODY, "anyone?", "--timeout", "1s", ...socketOf(alice)]);
    expect(sent).toMatchObject({ code: 5, stdout: "" });
    expect(sent.stderr).toMatch(/^starling: no way to the recipient .*--timeout\n$/);
  }, 30_000);

  test("to a relay's key fails: it has no inbox", async () => {
    const sent = await run("node", ["send", relay.id, "hi", "--timeout", "3s", ...socketOf(alice)]);
    expect(sent).toMatchObject({ code: 5 });
    expect(sent.stderr).toContain("no inbox");
  }, 30_000);
});

describe("two programs on two nodes", () => {
  let a: LocalClient;
  let b: LocalClient;
  beforeAll(async () => {
    [a, b] = await Promise.all([connect(alice.socket), connect(bob.socket)]);
  });
  afterAll(() => {
    a.close();
    b.close();
  });

  test("talk in order while a channel opens between them, ask and answer, and broadcast", async () => {
    const messages = await b.subscribe({ events: ["message"], topic: "talk" });
    const texts = Array.from({ length: 20 }, (_, i) => `line ${i}`);
    const receipts = Promise.all(texts.map((text) => a.submit({ to: bob.id, content: bytes(text), topic: "talk" })));
    const heard: string[] = [];
    while (heard.length < texts.length) {
      const { value } = await within("a message", messages.next());
      heard.push(new TextDecoder().decode(value?.content));
    }
    expect(heard).toEqual(texts);
    await within("the receipts", receipts);
    await within("the channel", a.connectPeer(bob.id));
    expect((await a.submit({ to: bob.id, content: bytes("direct"), topic: "talk" })).path).toBe("channel");
    expect((await a.peers()).find(({ id }) => id === bob.id)).toMatchObject({
      link: expect.stringMatching(/channel|both/),
    });

    const requests = await b.subscribe({ events: ["request"] });
    const answer = a.request({ to: bob.id, content: bytes("ping?") });
    const { value: request } = await within("the request", requests.next());
    await b.reply(request?.requestId ?? "", bytes("pong!"));
    expect(new TextDecoder().decode((await within("the reply", answer)).content)).toBe("pong!");

    const broadcasts = await b.subscribe({ events: ["broadcast"] });
    const { messageId } = await a.broadcast(bytes("to all"), "news");
    expect((await within("the broadcast", broadcasts.next())).value).toMatchObject({
      messageId,
      from: alice.id,
      topic: "news",
    });
    for (const stream of [messages, requests, broadcasts]) await stream.unsubscribe();
  }, 40_000);

  test("`ping`, `request` and `reply` from the command line", async () => {
    const replier = new DaemonChild("node", ["reply", "--exec", "tr a-z A-Z", "--topic", "shout", ...socketOf(bob)]);
    children.push(replier);
    const ask = ["request", bob.id, "-", "--topic", "shout", "--timeout", "15s", ...socketOf(alice)];
    expect(await run("node", ask, "quiet")).toMatchObject({ code: 0, stdout: "QUIET\n" });
    const pinged = await run("node", ["ping", bob.id, "--count", "2", "--via", "relay", "--json", ...socketOf(alice)]);
    expect(
      pinged.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).path),
    ).toEqual(["relayed", "relayed"]);
  }, 40_000);
});

describe("what has a receipt is not lost", () => {
  test("kill -9 of the recipient before any program listened: it is there after the restart, once", async () => {
    const carolDir = dir("carol");
    let carolChild = start("node", "carol", ...bootstrap);
    const carol = await carolChild.ready();
    await carolChild.log(({ msg }) => msg === "link opened", "a link to the relay");
    const a = await connect(alice.socket);
    const receipt = await a.submit({ to: carol.id, content: bytes("keep this"), topic: "kept" });
    await carolChild.stop("SIGKILL");
    expect(readFileSync(join(carolDir, "inbox.journal"), "utf8")).toContain(receipt.messageId);
    carolChild = start("node", "carol", ...bootstrap);
    expect((await carolChild.ready()).id).toBe(carol.id);
    const c = await connect(carol.socket);
    expect((await c.status()).waiting).toBe(1);
    const messages = await c.subscribe({ events: ["message"] });
    const { value } = await within("the message", messages.next());
    expect(value).toMatchObject({ messageId: receipt.messageId, topic: "kept" });
    await messages.unsubscribe();
    expect((await c.status()).waiting).toBe(0);
    a.close();
    c.close();
    expect((await carolChild.stop()).code).toBe(0);
  }, 60_000);
});

describe("bad input is answered or counted, and the process lives", () => {
  test.each([
    ["a wrong flag", ["start", "--lisen", "127.0.0.1:0"], 2, "--lisen"],
    ["a bad address", ["start", "--listen", "localhost:1"], 2, "listen"],
    ["a bad bootstrap", ["start", "--bootstrap", "nobody@127.0.0.1:1"], 2, "bootstrap"],
    ["an unknown command", ["strat"], 2, "strat"],
    ["a bad id", ["send", "abc", "text"], 2, "id"],
  ])(
    "%s: exit 2 and one line that names it",
    async (_name, args, code, named) => {
      for (const program of ["node", "relay"] as const) {
        if (program === "relay" && args[0] === "send") continue;
        const ended = await run(program, [...args, ...(args[0] === "strat" ? [] : ["--data-dir", dir("unused")])]);
        expect(ended.code).toBe(code);
        expect(ended.stderr).toContain(named);
        expect(ended.stderr.trim().split("\n")).toHaveLength(1);
      }
    },
    60_000,
  );

  test.each(["node", "relay"] as const)(
    "%s: a reader that has gone, as `head` goes, ends the output and not the process with a stack",
    async (program) => {
      const child = new DaemonChild(program, ["--help"]);
      children.push(child);
      child.process.stdout?.destroy();
      expect(await within("its end", child.ended)).toMatchObject({ code: 0, stderr: "" });
    },
    30_000,
  );

  test("a taken port", async () => {
    const ended = await run("relay", ["start", "--data-dir", dir("taken"), "--listen", relay.listen]);
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringMatching(/taken|in use/) });
  }, 30_000);

  test("a second daemon on one data directory", async () => {
    const ended = await run("node", ["start", "--data-dir", dir("alice"), "--listen", "127.0.0.1:0"]);
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining(dir("alice")) });
  }, 30_000);

  test("a key file that others may read, one that is damaged, and one that is no key", async () => {
    await run("node", ["id", "--data-dir", dir("key")]);
    const path = join(dir("key"), "node.key");
    const good = readFileSync(path, "utf8");
    chmodSync(path, 0o640);
    const open = await run("node", ["start", "--data-dir", dir("key"), "--listen", "127.0.0.1:0"]);
    expect(open).toMatchObject({ code: 4, stderr: expect.stringContaining(path) });
    for (const content of [good.slice(0, 40), "not a key\n", ""]) {
      writeFileSync(path, content);
      chmodSync(path, 0o600);
      const damaged = await run("relay", ["start", "--data-dir", dir("key"), "--listen", "127.0.0.1:0"]);
      expect(damaged).toMatchObject({ code: 4, stderr: expect.stringContaining(path) });
      expect(readFileSync(path, "utf8")).toBe(content);
    }
  }, 60_000);

  test("garbage and truncated datagrams at the relay: counted drops, and messages go on", async () => {
    const before = await metric("starling_dropped_total", "");
    const socket: Socket = createSocket("udp4");
    const [host = "", port = ""] = relay.listen.split(":");
    const junk = [
      Buffer.alloc(0),
      Buffer.from([0x50]),
      Buffer.alloc(1200, 0x50),
      Buffer.alloc(60, 0x53),
      Buffer.alloc(1400, 7),
    ];
    for (let i = 0; i < 200; i += 1) {
      const datagram = junk[i % junk.length] ?? Buffer.alloc(1);
      await new Promise((resolve) => socket.send(datagram, Number(port), host, resolve));
    }
    socket.close();
    const sent = await run("node", ["send", bob.id, "still there?", "--via", "relay", ...socketOf(alice)]);
    expect(sent.code).toBe(0);
    expect((await metric("starling_dropped_total", "")) - before).toBeGreaterThan(100);
    expect((await fetch(`http://${relay.http}/healthz`)).status).toBe(200);
  }, 40_000);

  test("a daemon whose parent is gone ends by itself; SIGTERM and SIGINT end one with exit 0", async () => {
    const orphan = start("node", "orphan");
    await orphan.ready();
    orphan.process.disconnect();
    expect((await within("its end", orphan.ended)).code).toBe(0);
    const interrupted = start("relay", "interrupted");
    const { id } = await interrupted.ready();
    expect((await interrupted.stop("SIGINT")).code).toBe(0);
    const again = start("relay", "interrupted");
    expect((await again.ready()).id).toBe(id);
    expect((await again.stop("SIGTERM")).code).toBe(0);
  }, 60_000);

  test("SIGTERM fails what programs wait for with a code, and leaves neither socket nor lock", async () => {
    const child = start("node", "stopped", ...bootstrap);
    const { socket } = await child.ready();
    const client = await connect(socket);
    const submitted = client.submit({ to: NOBODY, content: bytes("?"), timeoutMs: 60_000 }).catch((error) => error);
    // Behind the submission on the same connection: the daemon has it when this is answered.
    await client.info();
    expect((await child.stop("SIGTERM")).code).toBe(0);
    expect(await within("the failure", submitted)).toMatchObject({ code: "E_SHUTTING_DOWN" });
    expect(readdirSync(dir("stopped")).toSorted()).toEqual(["freshness", "inbox.journal", "node.key", "peers"]);
  }, 30_000);

  test.each([
    ["an exception", "() => { throw new Error('boom') }"],
    ["a rejection", "async () => { throw new Error('boom') }"],
  ])(
    "%s that nobody catches is logged and ends the daemon with exit 1",
    async (name, handler) => {
      const fault = `process.on("SIGUSR2", ${handler})`;
      const args = ["start", "--data-dir", dir(name), "--listen", "127.0.0.1:0", "--network", "test"];
      const child = new DaemonChild("node", args, ["--import", `data:text/javascript,${encodeURIComponent(fault)}`]);
      children.push(child);
      await child.ready();
      expect((await child.stop("SIGUSR2")).code).toBe(1);
      expect(await child.log(({ level }) => level === "fatal", "the fault")).toMatchObject({
        err: { message: "boom" },
      });
    },
    30_000,
  );
});
