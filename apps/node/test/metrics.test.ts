import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connect, type LocalClient } from "@starling/local-client";
import { DaemonChild, within } from "@starling/test-processes";

// Two daemons on loopback, and one of them scraped as Prometheus would.

const folder = mkdtempSync(join(tmpdir(), "starling-metrics-"));
const children: DaemonChild[] = [];
type Ready = Awaited<ReturnType<DaemonChild["ready"]>>;
let alice: Ready;
let bob: Ready;
let a: LocalClient;
let b: LocalClient;

function start(name: string, ...args: string[]): DaemonChild {
  const common = ["start", "--data-dir", join(folder, name), "--listen", "127.0.0.1:0", "--network", "test"];
  const child = new DaemonChild("node", [...common, ...args]);
  children.push(child);
  return child;
}

beforeAll(async () => {
  const aliceChild = start("alice", "--http", "127.0.0.1:0");
  alice = await aliceChild.ready();
  const bobChild = start("bob", "--bootstrap", `${alice.id}@${alice.listen}`);
  bob = await bobChild.ready();
  for (const child of [aliceChild, bobChild]) await child.log(({ msg }) => msg === "link opened", "a link");
  [a, b] = await Promise.all([connect(alice.socket), connect(bob.socket)]);
}, 60_000);

afterAll(async () => {
  a?.close();
  b?.close();
  await Promise.all(children.map((child) => child.stop("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

const token = (): string => readFileSync(join(folder, "alice", "http-token"), "utf8").trim();

type Answer = { readonly status: number; readonly type: string; readonly text: string };

/** As curl does it: `fetch` would not send another Host. */
function get(headers: Readonly<Record<string, string>>, method = "GET"): Promise<Answer> {
  const asked = new Promise<Answer>((resolve, reject) => {
    const sent = request(`http://${alice.http}/metrics`, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", text });
      });
    });
    sent.on("error", reject);
    sent.end();
  });
  return within("an answer", asked);
}

async function scrape(): Promise<string> {
  const { status, text } = await get({ authorization: `Bearer ${token()}` });
  if (status !== 200) throw new Error(`${status}: ${text}`);
  return text;
}

function value(text: string, sample: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  if (line === undefined) throw new Error(`there is no ${sample}:\n${text}`);
  return Number(line.slice(sample.length + 1));
}

test("everything has its documented name and type", async () => {
  const { type, text } = await get({ authorization: `Bearer ${token()}` });
  expect(type).toContain("text/plain");
  const types = {
    peers: "gauge",
    datagrams_total: "counter",
    bytes_total: "counter",
    dropped_total: "counter",
    forwarded_total: "counter",
    delivered_total: "counter",
    send_seconds: "histogram",
    broadcast_redundancy: "gauge",
    stamp_price: "gauge",
    seen_filter_bytes: "gauge",
    handshakes_total: "counter",
    channels: "gauge",
  };
  for (const [name, kind] of Object.entries(types)) expect(text).toContain(`# TYPE starling_${name} ${kind}\n`);
  expect(text).toMatch(/^process_resident_memory_bytes [0-9]+$/m);
  expect(value(text, 'starling_peers{link="session"}')).toBe(1);
  expect(value(text, 'starling_stamp_price{class="send"}')).toBe(16_384);
  expect(value(text, 'starling_handshakes_total{result="completed"}')).toBe(1);
});

describe("what happens moves them", () => {
  test("what is sent, by what it went over; what is delivered, by what it is", async () => {
    const before = await scrape();
    const heard = await a.subscribe({ events: ["message", "request", "broadcast"] });
    await b.submit({ to: alice.id, content: Uint8Array.of(1) });
    await within("the message", heard.next());
    await b.broadcast(Uint8Array.of(2));
    await within("the broadcast", heard.next());
    const asked = b.request({ to: alice.id, content: Uint8Array.of(3) });
    const { value: ask } = await within("the request", heard.next());
    if (ask?.type !== "request") throw new Error("a request was sent");
    await within("the receipt of the reply", a.reply(ask.requestId, Uint8Array.of(4)));
    await within("the reply", asked);
    await heard.unsubscribe();
    await within("a receipt", a.submit({ to: bob.id, content: Uint8Array.of(5) }));
    await within("a ping", a.ping({ to: bob.id }));
    const after = await scrape();
    const grown = (sample: string): number => value(after, sample) - value(before, sample);
    for (const kind of ["message", "broadcast", "request"]) {
      expect([kind, grown(`starling_delivered_total{class="${kind}"}`)]).toEqual([kind, 1]);
    }
    expect(grown('starling_delivered_total{class="reply"}')).toBe(0);
    // The reply and the message; a ping is not what a program sends.
    expect(grown('starling_send_seconds_count{path="session"}')).toBe(2);
    expect(grown('starling_send_seconds_bucket{le="+Inf",path="session"}')).toBe(2);
    expect(grown('starling_send_seconds_bucket{le="60",path="session"}')).toBe(2);
    expect(grown('starling_send_seconds_count{path="relayed"}')).toBe(0);
    expect(grown('starling_send_seconds_sum{path="session"}')).toBeLessThan(60);
    for (const direction of ["in", "out"]) {
      expect(grown(`starling_datagrams_total{direction="${direction}"}`)).toBeGreaterThan(0);
      expect(grown(`starling_bytes_total{direction="${direction}"}`)).toBeGreaterThan(0);
    }
  }, 40_000);

  test("a channel, and the peer that now has both kinds of link", async () => {
    await within("a channel", a.connectPeer(bob.id));
    const text = await scrape();
    expect(value(text, 'starling_channels{state="open"}')).toBe(1);
    expect(value(text, 'starling_channels{state="gathering"}')).toBe(0);
    expect(["session", "channel", "both"].map((link) => value(text, `starling_peers{link="${link}"}`))).toEqual([
      0, 0, 1,
    ]);
    const receipt = await within("a receipt", a.submit({ to: bob.id, content: Uint8Array.of(6) }));
    expect(receipt.path).toBe("channel");
    const count = 'starling_send_seconds_count{path="channel"}';
    expect(value(await scrape(), count) - value(text, count)).toBe(1);
  }, 40_000);
});

describe("who may read them", () => {
  test("nobody without the token, whatever he shows instead", async () => {
    const shown = [
      "",
      "Bearer",
      "Bearer ",
      `Bearer ${"0".repeat(64)}`,
      `Bearer ${token().slice(1)}`,
      `Bearer ${token()}0`,
    ];
    for (const authorization of [...shown, token(), `Basic ${token()}`, `Basic ${btoa(`:${token()}`)}`]) {
      const { status, text } = await get(authorization === "" ? {} : { authorization });
      expect([authorization, status]).toEqual([authorization, 401]);
      expect(text).not.toContain("starling_");
    }
    expect((await get({ authorization: `bearer ${token()}` })).status).toBe(200);
  });

  test("nobody to whom this server has another name, token or not", async () => {
    const { port } = new URL(`http://${alice.http}`);
    const authorization = `Bearer ${token()}`;
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1", `127.0.0.1.evil.example:${port}`]) {
      const { status, text } = await get({ authorization, host });
      expect([host, status, text.includes("starling_")]).toEqual([host, 403, false]);
    }
    expect((await get({ authorization, host: `localhost:${port}` })).status).toBe(200);
  });

  test("they can only be read", async () => {
    const authorization = `Bearer ${token()}`;
    expect((await get({ authorization }, "POST")).status).toBe(405);
    expect(await get({ authorization }, "HEAD")).toMatchObject({ status: 200, text: "" });
  });
});

test("nothing that a peer says becomes a label", async () => {
  const word = "marked";
  const content = new TextEncoder().encode(word);
  const heard = await a.subscribe({ events: ["message", "broadcast"] });
  for (let i = 0; i < 20; i += 1) {
    const topic = `${word}-${i}`;
    await within("a receipt", b.submit({ to: alice.id, content, topic }));
    await within("the message", heard.next());
  }
  await b.broadcast(content, `${word}-news`);
  await within("the broadcast", heard.next());
  await heard.unsubscribe();
  const [ip = "", port = ""] = alice.listen.split(":");
  const stranger = createSocket("udp4");
  for (let i = 0; i < 20; i += 1) {
    await new Promise<void>((resolve, reject) => {
      stranger.send(`${word} ${i}`, Number(port), ip, (error) => (error ? reject(error) : resolve()));
    });
  }
  stranger.close();
  // The node handles what its socket got first: this handshake comes behind the stranger's.
  const carolChild = start("carol", "--bootstrap", `${alice.id}@${alice.listen}`);
  const carol = await carolChild.ready();
  await carolChild.log(({ msg }) => msg === "link opened", "a link");
  const text = (await scrape())
    .split("\n")
    .filter((line) => line.startsWith("starling_"))
    .join("\n");
  expect(value(text, 'starling_dropped_total{reason="too-short"}')).toBeGreaterThanOrEqual(20);
  for (const said of [alice.id, bob.id, carol.id, alice.listen, bob.listen, carol.listen, word]) {
    expect(text).not.toContain(said);
  }
  const labels = [...text.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name = "", said = ""]) => ({ name, said }));
  const known = ["class", "direction", "event", "le", "limit", "link", "path", "reason", "result", "state", "version"];
  expect(labels.filter(({ name }) => !known.includes(name))).toEqual([]);
  // Words of the code, but for the bounds of the buckets and the version.
  const words = labels.filter(({ name }) => name !== "le" && name !== "version");
  expect(words.filter(({ said }) => !/^[a-z]+(-[a-z0-9]+)*$/.test(said))).toEqual([]);
}, 40_000);
