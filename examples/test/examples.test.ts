import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { LocalClientError } from "@starling/local-client";
import { createLocalServer, type LocalHandlers } from "@starling/local-client/server";
import { type EmbeddedNode, type Testnet, testnet } from "@starling/node";
import { Example } from "./processes.ts";

const directory = mkdtempSync(join(tmpdir(), "starling-"));
const started: Example[] = [];
let net: Testnet;
let alice: EmbeddedNode;
let bob: EmbeddedNode;

const run = (file: string, ...args: string[]): Example => {
  const example = new Example(file, ...args);
  started.push(example);
  return example;
};

beforeAll(async () => {
  net = await testnet(2);
  [alice, bob] = net.nodes as [EmbeddedNode, EmbeddedNode];
}, 30_000);
afterEach(() => {
  for (const example of started.splice(0)) example.kill();
});
afterAll(async () => {
  await net.close();
  rmSync(directory, { recursive: true });
});

describe("the examples", () => {
  test("chat between two terminals", async () => {
    const [a, b] = [run("chat.ts", alice.socket, bob.id), run("chat.ts", bob.socket, alice.id)];
    await Promise.all([a.says(/chatting with/), b.says(/chatting with/)]);
    a.type("hello, bob");
    await Promise.all([
      b.says(new RegExp(`${alice.id.slice(0, 8)}: hello, bob`)),
      a.says(/✓ (relayed|session|channel)/),
    ]);
    b.type("hello yourself");
    await a.says(/hello yourself/);
    a.endOfInput();
    expect(await a.exitCode()).toBe(0);
  }, 60_000);

  test("a service answers requests, and takes no nonsense", async () => {
    await run("service.ts", alice.socket).says(/answering sums as [0-9a-f]{64}/);
    const ask = async (sum: string): Promise<string> => {
      const content = new TextEncoder().encode(sum);
      const answer = await bob.client.request({ to: alice.id, content, topic: "sums" });
      return new TextDecoder().decode(answer.content);
    };
    expect(await ask("6 * 7")).toBe("42");
    expect(await ask("process.exit()")).toContain("write two numbers");
  }, 60_000);

  test("a file arrives whole, or not at all", async () => {
    const [from, to] = [join(directory, "song.bin"), mkdtempSync(join(directory, "received-"))];
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) % 251));
    writeFileSync(from, bytes);
    const receiver = run("receive-file.ts", bob.socket, to, alice.id);
    await receiver.says(/receiving as/);
    const sender = run("send-file.ts", alice.socket, bob.id, from);
    await Promise.all([sender.says(/complete: song.bin, SHA-256 [0-9a-f]{64}/), receiver.says(/complete: song.bin/)]);
    expect(await sender.exitCode()).toBe(0);
    expect(readFileSync(join(to, "song.bin")).equals(bytes)).toBe(true);
    // A name that leads elsewhere is refused.
    const content = Buffer.from(`${JSON.stringify({ name: "../escaped", offset: 0 })}\nx`);
    const answer = await alice.client.request({ to: bob.id, content, topic: "file" });
    expect(new TextDecoder().decode(answer.content)).toContain("refused");
    expect(readdirSync(to)).toEqual(["song.bin"]);
  }, 60_000);

  test.each(["service.ts", "receive-file.ts"])(
    "%s goes on when an asker has gone",
    async (file) => {
      const info = await bob.client.info();
      const gone = new LocalClientError("E_NO_REQUEST", "the asker has gone");
      let answered = (_requestId: string): void => {};
      const answer = new Promise<string>((resolve) => (answered = resolve));
      const reply = async ({ requestId }: { readonly requestId: string }): Promise<void> => {
        if (requestId === "first") throw gone;
        answered(requestId);
      };
      const socketPath = join(mkdtempSync(join(directory, "daemon-")), "s");
      const handlers = { info: () => info, reply } as unknown as LocalHandlers;
      const daemon = await createLocalServer({ socketPath, handlers });
      try {
        const example = run(file, socketPath, directory, alice.id);
        await example.says(/ as [0-9a-f]{64}/);
        const topic = file === "service.ts" ? "sums" : "file";
        const content = new Uint8Array(1);
        const event = { type: "request", from: alice.id, topic, content, path: "session", receivedAt: 1 } as const;
        daemon.publish({ ...event, requestId: "first" });
        await example.says(/the asker has gone/);
        daemon.publish({ ...event, requestId: "second" });
        expect(await Promise.race([answer, example.exitCode()])).toBe("second");
      } finally {
        await daemon.close();
      }
    },
    60_000,
  );

  test("a feed is read by those who are there", async () => {
    const reader = run("feed.ts", bob.socket, "weather");
    await reader.says(/reading weather/);
    const publisher = run("feed.ts", alice.socket, "weather", "rain\u001b[2J at noon");
    await publisher.says(/published [0-9a-f]+/);
    await reader.says(new RegExp(`${alice.id.slice(0, 8)} rain \\[2J at noon`));
    expect(await publisher.exitCode()).toBe(0);
  }, 60_000);

  test("an embedded node", async () => {
    const embedded = run("embedded.ts");
    await embedded.says(/bob has "hello, bob", (relayed|session), [12] hops/);
    expect(await embedded.exitCode()).toBe(0);
  }, 60_000);

  test("Python, with its standard library alone", async () => {
    await run("echo.py", alice.socket).says(/answering/);
    const answer = await bob.client.request({ to: alice.id, content: new TextEncoder().encode("grüße") });
    expect(new TextDecoder().decode(answer.content)).toBe("GRÜSSE");
  }, 60_000);

  test("are short", () => {
    const folder = fileURLToPath(new URL("..", import.meta.url));
    const files = readdirSync(folder).filter((name) => /\.(ts|py|html)$/.test(name));
    const lines = files.map((name) => [name, readFileSync(join(folder, name), "utf8").split("\n").length - 1] as const);
    expect(lines.length).toBeGreaterThan(7);
    expect(lines.filter(([, count]) => count >= 60)).toEqual([]);
  });
});
