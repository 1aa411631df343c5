import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "@jest/globals";
import { parseNodeId } from "@starling/crypto-identity";
import type { Address } from "@starling/wire-protocol";
import { closeAll, eventually, random, secureOn } from "./support.ts";

const children: ChildProcess[] = [];

afterEach(async () => {
  await closeAll();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function echo(port: number): Promise<{ child: ChildProcess; id: string; address: Address }> {
  const child = fork(fileURLToPath(new URL("./child/echo.ts", import.meta.url)), [], {
    execArgv: ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"],
  });
  children.push(child);
  const ready = once(child, "message");
  child.send({ seed: 7, port });
  const [{ id, address }] = await ready;
  return { child, id, address };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("two processes: echo of every size, the other one killed in mid-traffic, started again, and all goes on", async () => {
  const first = await echo(0);
  const peer = parseNodeId(first.id);
  const opened: boolean[] = [];
  const closed: string[] = [];
  const { secure, box } = await secureOn("127.0.0.1", {
    onSession(event) {
      if (event.type === "opened") opened.push(event.restarted);
      if (event.type === "closed") closed.push(event.reason);
    },
  });
  await secure.connect(peer, first.address);
  const sent = Array.from({ length: 300 }, (_, index) => random(1 + ((index * 977) % 30_000)));
  for (const bytes of sent) {
    await secure.ready(peer);
    void secure.send(peer, bytes);
  }
  await eventually(() => box.messages.length === sent.length);
  expect(box.messages.map(({ bytes }) => hex(bytes)).sort()).toEqual(sent.map(hex).sort());

  // Its port is closed now, and the system may say so; neither that nor the silence ends anything here.
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const late = secure.send(peer, Uint8Array.of(1, 2, 3));
  for (let count = 0; count < 200; count += 1) secure.sendOnce(peer, random(500));
  const second = await echo(first.address.port);
  expect(second.id).toBe(first.id);
  await late;
  await eventually(() => box.messages.some(({ bytes }) => hex(bytes) === "010203"));
  expect(opened).toEqual([false, true]);
  await secure.close();
  expect(closed).toEqual(["local"]);
}, 30_000);
