import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { connect, type LocalClient } from "@starling/local-client";
import { DaemonChild, run, within } from "@starling/test-processes";

// The relay as its operator runs it: real processes, real sockets, signals and restarts.

const folder = mkdtempSync(join(tmpdir(), "starling-relay-processes-"));
const children = new Set<DaemonChild>();
const clients = new Set<LocalClient>();

afterEach(async () => {
  for (const client of clients) client.close();
  clients.clear();
  await Promise.all([...children].map((child) => child.stop("SIGKILL").catch(() => undefined)));
  children.clear();
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Started = { readonly child: DaemonChild; readonly id: string; readonly listen: string; readonly http: string };

async function start(
  program: "node" | "relay",
  name: string,
  ...args: string[]
): Promise<Started & { socket: string }> {
  const given = args.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const child = new DaemonChild(program, [
    ...["start", "--network", "test", "--data-dir", join(folder, name), ...given],
    ...args,
  ]);
  children.add(child);
  return { child, ...(await child.ready()) };
}

async function node(name: string, relay: Started): Promise<{ id: string; client: LocalClient; child: DaemonChild }> {
  const { id, socket, child } = await start(
    "node",
    name,
    "--bootstrap",
    `${relay.id}@${relay.listen}`,
    "--max-channels",
    "0",
  );
  await child.log(({ msg, peer }) => msg === "link opened" && peer === relay.id, "a link to the relay");
  const client = await connect(socket);
  clients.add(client);
  return { id, client, child };
}

async function metric(relay: Started, line: string): Promise<number> {
  const text = await (await fetch(`http://${relay.http}/metrics`)).text();
  const found = text.split("\n").find((each) => each.startsWith(`starling_${line} `));
  return Number(found?.slice(found.lastIndexOf(" ") + 1) ?? Number.NaN);
}

/** Messages that reach a node, by their text. */
async function collect(
  client: LocalClient,
): Promise<{ readonly counts: Map<string, number>; until(count: number): Promise<void> }> {
  const counts = new Map<string, number>();
  let wake = (): void => undefined;
  const events = await client.subscribe({ events: ["message"] });
  void (async () => {
    for await (const event of events) {
      if (event.type !== "message") continue;
      const text = Buffer.from(event.content).toString();
      counts.set(text, (counts.get(text) ?? 0) + 1);
      wake();
    }
  })().catch(() => undefined);
  const until = async (count: number): Promise<void> => {
    while (counts.size < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { counts, until: (count) => within(`${count} messages`, until(count), 60_000) };
}

describe("a relay process", () => {
  test("says how it is, obeys SIGHUP and SIGTERM, and keeps its id and its peers over a restart", async () => {
    const deny = join(folder, "deny.txt");
    writeFileSync(deny, "# nobody yet\n");
    const other = await start("relay", "r0");
    const bootstrap = `${other.id}@${other.listen}`;
    const first = await start(
      "relay",
      "r1",
      "--bootstrap",
      bootstrap,
      "--http",
      "127.0.0.1:0",
      "--deny",
      deny,
      "--max-forward",
      "77/s",
    );
    const a = await node("a1", first);

    await first.child.log(({ msg, peer }) => msg === "link opened" && peer === other.id, "a link to the other relay");
    await first.child.log(({ msg, peer }) => msg === "link opened" && peer === a.id, "the node's link");
    expect(await metric(first, 'peers{link="session"}')).toBe(2);
    expect(await metric(first, 'limit{name="max-forward"}')).toBe(77);
    const status = await run("relay", ["status", "--http", first.http]);
    expect(status.stdout).toContain(`${first.id}  ok`);
    expect(status.stdout).toMatch(/peers {6}2 of 1,024/);

    writeFileSync(deny, `${a.id}\n`);
    first.child.process.kill("SIGHUP");
    await first.child.log(({ msg, peer }) => msg === "link closed" && peer === a.id, "the link's end");
    await first.child.log(
      ({ msg, closed }) => msg === "read the lists of who may connect" && closed === 1,
      "the lists",
    );
    const denied = async (): Promise<void> => {
      while (!((await metric(first, 'dropped_total{reason="denied"}')) > 0)) await new Promise(setImmediate);
    };
    await within("a Hello of the denied node", denied());
    expect(await metric(first, 'peers{link="session"}')).toBe(1);

    // A list that cannot be read changes nothing.
    writeFileSync(deny, "nonsense\n");
    first.child.process.kill("SIGHUP");
    await first.child.log(({ msg }) => msg === "the lists stay as they were", "its complaint");
    writeFileSync(deny, "");
    first.child.process.kill("SIGHUP");
    await first.child.log(
      ({ msg, deny: count }) => msg === "read the lists of who may connect" && count === 0,
      "it again",
    );
    await a.child.log(({ msg }) => msg === "link closed", "the node's link's end");
    const again = async (): Promise<void> => {
      while ((await metric(first, 'peers{link="session"}')) !== 2) await new Promise(setImmediate);
    };
    await within("the node is let in again", again(), 60_000);

    const ended = await first.child.stop();
    expect(ended.code).toBe(0);
    expect(readFileSync(join(folder, "r1", "peers"), "utf8")).toContain(bootstrap);
    const second = await start("relay", "r1", "--listen", first.listen);
    expect(second.id).toBe(first.id);
    // Nobody names the other relay any more, but it was its anchor.
    await second.child.log(({ msg, peer }) => msg === "link opened" && peer === other.id, "a link to its anchor");
    // The node finds it where it was.
    await second.child.log(({ msg, peer }) => msg === "link opened" && peer === a.id, "the node's link");
  }, 120_000);

  test("wrong lists and settings are named, and nothing starts", async () => {
    const list = join(folder, "wrong.txt");
    writeFileSync(list, "192.0.2.0/24\n192.0.2.0/99\n");
    const wrongList = await run("relay", ["start", "--data-dir", join(folder, "w"), "--allow", list]);
    expect([wrongList.code, wrongList.stderr]).toEqual([2, expect.stringContaining("wrong.txt:2: ")]);
    const wrongRate = await run("relay", ["start", "--data-dir", join(folder, "w"), "--max-total", "many"]);
    expect([wrongRate.code, wrongRate.stderr]).toEqual([2, expect.stringContaining("--max-total")]);
  }, 60_000);

  test("is replaced under load: whatever had a receipt was delivered once, and nothing is lost", async () => {
    let relay = await start("relay", "r2");
    const [a, b] = await Promise.all([node("a2", relay), node("b2", relay)]);
    const { counts, until } = await collect(b.client);
    const receipts: Promise<unknown>[] = [];
    const submit = (text: string): void => {
      const receipt = a.client.submit({ to: b.id, content: Buffer.from(text), via: "relay", timeoutMs: 60_000 });
      receipts.push(receipt);
    };
    for (let i = 0; i < 20; i += 1) submit(`before ${i}`);
    await receipts[0];
    // The rest is on its way.
    const ended = relay.child.stop();
    for (let i = 0; i < 20; i += 1) submit(`meanwhile ${i}`);
    expect((await ended).code).toBe(0);
    relay = await start("relay", "r2", "--listen", relay.listen);
    for (let i = 0; i < 20; i += 1) submit(`after ${i}`);
    await within("receipts of all", Promise.all(receipts), 60_000);
    await until(60);
    expect([...counts.values()]).toEqual(new Array(60).fill(1));
  }, 180_000);

  test("is killed again and again: the same", async () => {
    let relay = await start("relay", "r3");
    const [a, b] = await Promise.all([node("a3", relay), node("b3", relay)]);
    const { counts, until } = await collect(b.client);
    const receipts: Promise<unknown>[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 10; i += 1) {
        const content = Buffer.from(`${round} ${i}`);
        receipts.push(a.client.submit({ to: b.id, content, via: "relay", timeoutMs: 90_000 }));
      }
      await Promise.race(receipts.slice(-10));
      await relay.child.stop("SIGKILL");
      relay = await start("relay", "r3", "--listen", relay.listen);
    }
    await within("receipts of all", Promise.all(receipts), 90_000);
    await until(30);
    expect([...counts.values()]).toEqual(new Array(30).fill(1));
  }, 180_000);
});
