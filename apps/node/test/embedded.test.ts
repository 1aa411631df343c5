import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
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
    const receipt = await a.client.submit({ to: b.id, content: Uint8Array.of(1, 2, 3), topic: "t" });
    expect(receipt).toMatchObject({ path: "relayed", hops: 2 });
    expect((await messages.next()).value).toMatchObject({ from: a.id, topic: "t", content: Uint8Array.of(1, 2, 3) });
    const broadcasts = await c.client.subscribe({ events: ["broadcast"] });
    await b.client.broadcast(Uint8Array.of(9));
    expect((await broadcasts.next()).value).toMatchObject({ from: b.id, content: Uint8Array.of(9) });
    const folders = net.nodes.map(({ socket }) => dirname(socket));
    await net.close();
    net = undefined;
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  }, 30_000);

  test("a wrong setting names itself", async () => {
    await expect(createNode({ listen: "nowhere" })).rejects.toMatchObject({
      code: "E_CONFIG",
      message: expect.stringContaining("listen"),
    });
  });
});
