import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { connect, type LinkEvent, type LocalClient } from "@starling/local-client";
import { DaemonChild, run, within } from "@starling/test-processes";

// Channels between real processes on loopback: what happens to them, and nodes that open none.

const folder = mkdtempSync(join(tmpdir(), "starling-channels-"));
const children: DaemonChild[] = [];
const dir = (name: string) => join(folder, name);
const text = (content: Uint8Array | undefined) => new TextDecoder().decode(content);
const bytes = (content: string) => new TextEncoder().encode(content);

let bootstrap: string[];
let clients: LocalClient[] = [];

function start(program: "node" | "relay", name: string, ...args: string[]): DaemonChild {
  const common = ["start", "--data-dir", dir(name), "--listen", "127.0.0.1:0", "--network", "test"];
  const child = new DaemonChild(program, [...common, ...args]);
  children.push(child);
  return child;
}

/** A node with a link to the relay. */
async function startNode(name: string, ...args: string[]) {
  const child = start("node", name, ...bootstrap, ...args);
  const { id, socket } = await child.ready();
  await child.log(({ msg }) => msg === "link opened", "a link to the relay");
  const client = await connect(socket);
  clients.push(client);
  return { child, id, socket, client };
}

beforeAll(async () => {
  const relay = await start("relay", "relay").ready();
  bootstrap = ["--bootstrap", `${relay.id}@${relay.listen}`];
}, 60_000);

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

afterAll(async () => {
  await Promise.all(children.map((child) => child.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** The next change of a channel. */
async function nextChange(links: AsyncIterator<LinkEvent>): Promise<string> {
  for (;;) {
    const { value } = await within("a change of a channel", links.next());
    if (value === undefined) throw new Error("the subscription ended");
    if (value.link === "channel") return value.reason ?? value.change;
  }
}

describe("a channel to a node that was killed and has started anew", () => {
  test("is replaced by the one that it asks for, and messages go on over that", async () => {
    const alice = await startNode("alice");
    let bob = await startNode("bob");
    const links = await alice.client.subscribe({ events: ["link"] });
    await within("a channel", alice.client.connectPeer(bob.id));
    expect(await nextChange(links)).toBe("opened");
    await bob.child.stop("SIGKILL");
    bob = await startNode("bob");
    await within("a second channel", bob.client.connectPeer(alice.id));
    expect([await nextChange(links), await nextChange(links)]).toEqual(["replaced", "opened"]);
    const messages = await bob.client.subscribe({ events: ["message"] });
    const receipt = await within(
      "the receipt",
      alice.client.submit({ to: bob.id, content: bytes("on"), via: "channel" }),
    );
    expect(receipt.path).toBe("channel");
    expect(text((await within("the message", messages.next())).value?.content)).toBe("on");
    for (const { child } of [alice, bob]) expect((await child.stop()).code).toBe(0);
  }, 60_000);
});

/** Addresses of the UDP sockets of a process, as the kernel writes them. */
function udpSockets(pid: number): string[] {
  const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
  const lines = readFileSync(`/proc/${pid}/net/udp`, "utf8").trim().split("\n").slice(1);
  return lines.flatMap((line) => {
    const [, local = "", , , , , , , , inode = ""] = line.trim().split(/\s+/);
    return sockets.includes(inode) ? [local] : [];
  });
}

describe("--ice-policy relayed-only", () => {
  test("messages go both ways; no channel is opened, whoever asks, and no socket for one", async () => {
    const alice = await startNode("alice-2");
    const hidden = await startNode("hidden", "--ice-policy", "relayed-only");
    const asked = hidden.client.connectPeer(alice.id).catch((error) => error);
    expect(await within("the refusal", asked)).toMatchObject({
      code: "E_NO_CHANNEL",
      message: expect.stringContaining("--ice-policy relayed-only"),
    });
    // What a peer's wish would make: had the node taken the Offer, or the Intent, it had bound a socket.
    const unanswered = alice.client.connectPeer(hidden.id).catch((error) => error);
    for (const [from, to] of [
      [alice, hidden],
      [hidden, alice],
    ] as const) {
      const messages = await to.client.subscribe({ events: ["message"] });
      for (let i = 0; i < 5; i += 1) {
        const receipt = await within("a receipt", from.client.submit({ to: to.id, content: bytes(`${i}`) }));
        // Over the relay, or over the UDP link of neighbours, which they become once one has found itself reachable.
        expect(["relayed", "session"]).toContain(receipt.path);
        expect(text((await within("a message", messages.next())).value?.content)).toBe(`${i}`);
      }
      await messages.unsubscribe();
    }
    expect(await within("the end of the dial", unanswered)).toMatchObject({ code: "E_NO_CHANNEL" });
    if (process.platform === "linux") expect(udpSockets(hidden.child.process.pid ?? 0)).toHaveLength(1);
    const { counters, channels } = await hidden.client.status();
    expect(channels).toBe(0);
    expect((counters["dropped.offer-budget"] ?? 0) + (counters["dropped.intent-budget"] ?? 0)).toBeGreaterThan(0);
    for (const { child } of [alice, hidden]) expect((await child.stop()).code).toBe(0);
  }, 60_000);

  test.each([
    ["a word that is none", ["--ice-policy", "relay"], "--ice-policy"],
    ["an address that is told to all", ["--ice-policy", "relayed-only", "--announce", "192.0.2.1:4100"], "announce"],
  ])(
    "%s: exit 2 and one line that names it",
    async (_what, args, named) => {
      const ended = await run("node", ["start", "--data-dir", dir("unused"), ...args]);
      expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(named) });
      expect(ended.stderr.trim().split("\n")).toHaveLength(1);
    },
    30_000,
  );

  test("is a line of the configuration file, and of the environment", async () => {
    const { stdout } = await run("node", ["config", "print-defaults"]);
    expect(stdout).toContain('ice-policy = "all"');
    expect(stdout).toContain("STARLING_ICE_POLICY");
  }, 30_000);
});
