// A clock that steps by months under a running daemon, forth and back: what cannot be said to be fresh gets an error with a code, and
// nothing that has a receipt is lost or comes twice.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { connect } from "@starling/local-client";
import { DaemonChild } from "@starling/test-processes";
import { createNode } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "starling-clock-"));
let child: DaemonChild | undefined;
afterAll(async () => {
  await child?.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const DAYS = 100;
/** The signal moves the process's clock: first ahead, then behind, then back to where it was; it says so among the log's lines. */
const STEPS = `const real = Date.now; const steps = [${DAYS}, ${-DAYS}, 0]; let at = 0;
  process.on("SIGUSR2", () => {
    const days = steps.shift();
    at = days * 86400000;
    process.stdout.write(JSON.stringify({ msg: "stepped", days }) + "\\n");
  });
  Date.now = () => real() + at;`;

test("a recipient whose clock steps by months", async () => {
  const flags = [`--import=data:text/javascript,${encodeURIComponent(STEPS)}`];
  const args = ["start", "--data-dir", join(folder, "node"), "--listen", "127.0.0.1:0", "--network", "test"];
  child = new DaemonChild("node", args, flags);
  const { id, listen, socket } = await child.ready();
  const author = await createNode({ listen: "127.0.0.1:0", network: "test", bootstrap: [`${id}@${listen}`] });
  await author.client.connectPeer(id, listen);
  const submit = (text: string, timeoutMs: number) =>
    author.client.submit({ to: id, content: new TextEncoder().encode(text), timeoutMs });
  const program = await connect(socket);
  const step = async (days: number): Promise<void> => {
    child?.process.kill("SIGUSR2");
    await child?.log((line) => line.msg === "stepped" && line.days === days, "the step");
  };
  await submit("before", 20_000);
  for (const days of [DAYS, -DAYS]) {
    await step(days);
    await expect(submit(`${days} days away`, 1500)).rejects.toMatchObject({ code: expect.stringMatching(/^E_/) });
    // Neither does what waits grow old by it.
    expect(await program.status()).toMatchObject({ id, waiting: 1 });
    const own = program.submit({ to: author.id, content: new Uint8Array(1), timeoutMs: 1500 });
    await expect(own).rejects.toMatchObject({ code: expect.stringMatching(/^E_/) });
  }
  await step(0);
  await submit("after", 20_000);
  const messages = await program.subscribe({ events: ["message"] });
  const texts: string[] = [];
  for await (const { content } of messages) {
    texts.push(new TextDecoder().decode(content));
    if (texts.includes("after")) break;
  }
  expect(texts).toEqual(["before", "after"]);
  program.close();
  await author.close();
}, 120_000);
