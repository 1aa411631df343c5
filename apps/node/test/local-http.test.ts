// The local API over WebSocket, as a program or a page of this machine meets it.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connect, type LocalClient } from "@starling/local-client";
import { connectWebSocket } from "@starling/local-client/web-socket";
import { within } from "@starling/test-processes";
import { createNode, type EmbeddedNode } from "../src/index.ts";

let dataDir: string;
let node: EmbeddedNode | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "starling-"));
  chmodSync(dataDir, 0o700);
});
afterEach(async () => {
  await node?.close();
  node = undefined;
  rmSync(dataDir, { recursive: true });
});

const start = async (http: string): Promise<EmbeddedNode> => {
  node = await createNode({ dataDir, listen: "127.0.0.1:0", http });
  return node;
};
const tokenPath = (): string => join(dataDir, "http-token");
const token = (): string => readFileSync(tokenPath(), "utf8").trim();

/** A FIFO opened for writing, once somebody reads it. */
async function whenRead(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await new Promise(setImmediate);
    }
  }
}

describe("--http", () => {
  test("serves the local API with the token of a file that only its user can read", async () => {
    const { id, http } = await start("127.0.0.1:0");
    expect(statSync(tokenPath()).mode & 0o777).toBe(0o600);
    const client = await connectWebSocket({ url: `ws://${http}/lpc`, token: token() });
    expect((await client.info()).id).toBe(id);
    await expect(connectWebSocket({ url: `ws://${http}/lpc`, token: "0".repeat(64) })).rejects.toMatchObject({
      code: "E_NO_ACCESS",
    });
    // A client that stays does not keep the node from ending, and hears of the end.
    await node?.close();
    node = undefined;
    await expect(client.info()).rejects.toMatchObject({ code: "E_DISCONNECTED" });
  });

  test("keeps its token over restarts, and makes a new one for one that is damaged", async () => {
    await start("127.0.0.1:0");
    const first = token();
    await node?.close();
    await start("[::1]:0");
    expect(token()).toBe(first);
    await node?.close();
    writeFileSync(tokenPath(), first.slice(1));
    await start("127.0.0.1:0");
    expect(token()).toMatch(/^[0-9a-f]{64}$/);
    expect(token().endsWith(first.slice(1))).toBe(false);
  });

  const onPosix = process.platform === "win32" ? test.skip : test;
  onPosix(
    "a program that comes while the node starts is answered, however long the token takes",
    async () => {
      // A reader of a FIFO waits for a writer: so long the token takes.
      expect(spawnSync("mkfifo", ["-m", "600", tokenPath()]).status).toBe(0);
      const starting = start("127.0.0.1:0");
      const fifo = await within("who reads the token", whenRead(tokenPath()));
      const socket = join(dataDir, "starling.sock");
      const early = existsSync(socket) ? await connect(socket) : undefined;
      const ask = (client: LocalClient) =>
        client.submit({ to: "09".padEnd(64, "0"), content: Uint8Array.of(1), timeoutMs: 500 }).catch((error) => error);
      const asked = early && ask(early);
      // Behind it on the same connection.
      await early?.info();
      writeSync(fifo, "ab".repeat(32));
      closeSync(fifo);
      const { client } = await starting;
      const outcome = within("what becomes of the message", asked ?? ask(client));
      expect(await outcome).toMatchObject({ code: expect.stringMatching(/^E_(NO_ROUTE|TIMEOUT)$/) });
      early?.close();
    },
    30_000,
  );

  test("is off unless asked for, and takes no address but loopback", async () => {
    expect((await start("off")).http).toBeNull();
    await node?.close();
    node = undefined;
    await expect(start("0.0.0.0:0")).rejects.toMatchObject({ code: "E_CONFIG" });
    await expect(start("127.0.0.1")).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  test("a port that is taken says so, and leaves nothing open", async () => {
    const { http } = await start("127.0.0.1:0");
    const second = mkdtempSync(join(tmpdir(), "starling-"));
    chmodSync(second, 0o700);
    try {
      const options = { dataDir: second, listen: "127.0.0.1:0", http: http ?? "" };
      await expect(createNode(options)).rejects.toMatchObject({ code: "E_PORT_TAKEN" });
      const other = await createNode({ ...options, http: "off" });
      await other.close();
    } finally {
      rmSync(second, { recursive: true });
    }
  });
});
