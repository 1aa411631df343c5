import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type LocalClient, type Receipt } from "@starling/local-client";
import { until, within } from "./deadline.ts";
import type { Member, NetworkLauncher } from "./network.ts";
import { relayMetric } from "./relay-metrics.ts";
import { type Reporter, table } from "./reporter.ts";

// The steps of the demonstration, in the order in which a network comes to life. Each checks what it shows.

const STEP_MS = 20_000;
const short = (id: string) => `${id.slice(0, 8)}…`;

type Connected = Member & { readonly client: LocalClient };
type Pair = {
  readonly relay: Member;
  readonly from: Connected;
  readonly to: Connected;
  readonly others: readonly Connected[];
};

export type Story = {
  /** The step under way: what a failure is reported as. */
  step: string;
};

/** Plays every step; rejects with the first that does not come true. Resolves with the address of a page that shows the network. */
export async function play(
  launcher: NetworkLauncher,
  reporter: Reporter,
  story: Story,
): Promise<{ readonly dashboardUrl: string }> {
  story.step = "relay";
  const relay = await launcher.startRelay();
  reporter.step("relay", `listens on ${relay.ready.listen}, key ${short(relay.ready.id)}`, {
    ...idAndAddress(relay),
    pids: [relay.process.pid],
  });

  story.step = "nodes";
  const nodes = await launcher.startNodes(relay);
  reporter.step("nodes", `three processes, keys ${nodes.map(({ ready }) => short(ready.id)).join(" ")}`, {
    nodes: nodes.map(idAndAddress),
    pids: nodes.map((node) => node.process.pid),
  });

  const members = await Promise.all(
    nodes.map(async (node): Promise<Connected> => ({ ...node, client: await connect(String(node.ready.socket)) })),
  );
  try {
    const [from, to, ...others] = members;
    if (from === undefined || to === undefined) throw new Error("two nodes are needed");
    const pair = { relay, from, to, others };
    const steps: [string, () => Promise<void>][] = [
      ["bootstrap", () => bootstrap(relay, members, reporter)],
      ["relayed-message", () => relayedMessage(pair, reporter)],
      ["channel-open", () => openChannel(pair, reporter)],
      ["channel-message", () => channelMessage(pair, reporter)],
      ["request-reply", () => requestReply(pair, reporter)],
      ["broadcast", () => broadcast(members, reporter)],
      ["channel-killed", () => channelKilled(pair, reporter)],
    ];
    for (const [name, step] of steps) {
      story.step = name;
      await step();
    }
    story.step = "status";
    return { dashboardUrl: await showStatus(relay, members, reporter) };
  } finally {
    for (const { client } of members) client.close();
  }
}

async function relayedMessage({ relay, from, to, others }: Pair, reporter: Reporter): Promise<void> {
  const http = String(relay.ready.http);
  // Nodes that can be reached carry messages as the relay does, so it may be any of them.
  const forwarded = async () => {
    const statuses = await Promise.all(others.map(({ client }) => client.status()));
    const byNodes = statuses.reduce((sum, { counters }) => sum + (counters["forwarded.send"] ?? 0), 0);
    return byNodes + (await relayMetric(http, "starling_forwarded_total", 'class="send"'));
  };
  const text = `hello from ${from.name}`;
  const before = await forwarded();
  const receipt = await deliver(from, to, text, "relay");
  if (receipt.path !== "relayed" || receipt.hops < 1) {
    throw new Error(`the receipt says ${receipt.path} over ${receipt.hops} hops, not relayed`);
  }
  const rise = (await forwarded()) - before;
  if (rise !== receipt.hops - 1)
    throw new Error(`${rise} forwards were counted for a message over ${receipt.hops} links`);
  const words = `${from.name} → relayed → ${to.name}: “${text}”, receipt after ${receipt.elapsedMs} ms over ${receipt.hops} links`;
  reporter.step("relayed-message", words, { receipt, forwarded: rise });
}

async function openChannel({ from, to }: Pair, reporter: Reporter): Promise<void> {
  const startedMs = performance.now();
  await within(STEP_MS, "the channel did not open", from.client.connectPeer(to.ready.id));
  const openedMs = Math.round(performance.now() - startedMs);
  const words = `${from.name} ⇄ ${to.name}: offer and answer crossed the relay, sealed; open after ${openedMs} ms`;
  reporter.step("channel-open", words, { openMs: openedMs });
}

async function channelMessage({ from, to }: Pair, reporter: Reporter): Promise<void> {
  const receipt = await deliver(from, to, "now directly", "channel");
  if (receipt.path !== "channel") throw new Error(`the receipt says ${receipt.path}, not channel`);
  reporter.step("channel-message", `straight to ${to.name}, receipt after ${receipt.elapsedMs} ms`, { receipt });
}

async function requestReply({ from, to }: Pair, reporter: Reporter): Promise<void> {
  const requests = await to.client.subscribe({ events: ["request"], topic: "demo" });
  const asked = from.client.request({ to: to.ready.id, content: bytes("what is 6 x 7?"), topic: "demo" });
  const { value: request } = await within(STEP_MS, "the request did not arrive", requests.next());
  if (request === undefined) throw new Error("the requests ended");
  await to.client.reply(request.requestId, bytes("42"));
  const { content, receipt } = await within(STEP_MS, "no reply", asked);
  if (text(content) !== "42") throw new Error(`the reply is “${text(content)}”, not “42”`);
  if (receipt.path !== "channel" || receipt.hops !== 1) {
    throw new Error(`the receipt says ${receipt.path} over ${receipt.hops} links, not the channel over one`);
  }
  await requests.unsubscribe();
  reporter.step("request-reply", "“what is 6 x 7?” → “42”, over the channel", { receipt });
}

async function broadcast(members: readonly Connected[], reporter: Reporter): Promise<void> {
  const [origin, ...others] = members;
  if (origin === undefined) throw new Error("nobody to broadcast");
  const startedMs = performance.now();
  const streams = await Promise.all(members.map(({ client }) => client.subscribe({ events: ["broadcast"] })));
  const sent = await origin.client.broadcast(bytes("to all of you"), "demo");
  for (const [index, member] of members.entries()) {
    if (member === origin) continue;
    const heard = await within(
      STEP_MS,
      `${member.name} heard no broadcast`,
      streams[index]?.next() ?? Promise.reject(),
    );
    const event = heard.value;
    if (
      event?.messageId !== sent.messageId ||
      event.from !== origin.ready.id ||
      text(event.content) !== "to all of you"
    ) {
      throw new Error(`what ${member.name} heard is not what was told`);
    }
  }
  for (const stream of streams) await stream.unsubscribe();
  const tookMs = Math.round(performance.now() - startedMs);
  const words = `${origin.name} told ${others.map(({ name }) => name).join(" and ")}, signed; ${tookMs} ms with its stamp`;
  reporter.step("broadcast", words, { messageId: sent.messageId, heardBy: others.length });
}

/** Cuts the channel's sockets while messages are under way: they have to come all the same, in order, by other ways. */
async function channelKilled({ from, to }: Pair, reporter: Reporter): Promise<void> {
  const messages = await to.client.subscribe({ events: ["message"], topic: "killed" });
  const startedMs = performance.now();
  await from.client.disconnectPeer(to.ready.id, { silently: true });
  const texts = Array.from({ length: 5 }, (_, i) => `after the cut ${i + 1}`);
  const submits = texts.map((each) => from.client.submit({ to: to.ready.id, content: bytes(each), topic: "killed" }));
  const receipts = await within(STEP_MS, "what was in flight did not get through", Promise.all(submits));
  const tookMs = Math.round(performance.now() - startedMs);
  const heard: string[] = [];
  while (heard.length < texts.length) {
    const { value: event } = await within(STEP_MS, "a message is missing", messages.next());
    if (event === undefined) break;
    heard.push(text(event.content));
  }
  if (heard.join() !== texts.join()) throw new Error(`heard ${heard.join(", ")}`);
  const wrong = receipts.find(({ path }) => path === "channel");
  if (wrong !== undefined) throw new Error(`a receipt says ${wrong.path}, though the channel is dead`);
  await messages.unsubscribe();
  const words = `sockets cut without a word; ${texts.length} messages went on without it, in order, within ${tookMs} ms`;
  reporter.step("channel-killed", words, { tookMs, receipts: receipts.length });
}

/** Sends a text and sees it arrive as it was sent. */
async function deliver(from: Connected, to: Connected, what: string, via: "relay" | "channel"): Promise<Receipt> {
  const messages = await to.client.subscribe({ events: ["message"], topic: "demo" });
  const submitted = from.client.submit({ to: to.ready.id, content: bytes(what), topic: "demo", via });
  const receipt = await within(STEP_MS, "no receipt", submitted);
  const { value: event } = await within(STEP_MS, "the message did not arrive", messages.next());
  if (event === undefined || text(event.content) !== what || event.from !== from.ready.id) {
    throw new Error(`what arrived is not what was sent: ${JSON.stringify(event)}`);
  }
  await messages.unsubscribe();
  return receipt;
}

function bytes(what: string): Uint8Array {
  return new TextEncoder().encode(what);
}

function text(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}

async function showStatus(relay: Member, members: readonly Connected[], reporter: Reporter): Promise<string> {
  const links = `${members.length} sessions`;
  const names = new Map<string, string>([relay, ...members].map(({ name, ready }) => [ready.id, name]));
  const rows = [[relay.name, short(relay.ready.id), relay.ready.listen, links, "-", String(relay.process.pid)]];
  const statuses: object[] = [];
  for (const { name, ready, client, process } of members) {
    const peers = await client.peers();
    const status = await client.status();
    const rtt = peers[0]?.rttMs;
    statuses.push({ name, ...status });
    rows.push([
      name,
      short(ready.id),
      ready.listen,
      peers.map(({ id, link }) => `${names.get(id) ?? short(id)} ${link}`).join(", "),
      rtt === undefined || rtt === null ? "-" : `${rtt.toFixed(1)} ms`,
      String(process.pid),
    ]);
  }
  const dashboard = await dashboardOf(members);
  reporter.step("status", "the network as it stands", { status: statuses, dashboard: dashboard.address });
  reporter.note(table(["", "key", "address", "links", "rtt", "pid"], rows));
  return dashboard.url;
}

/** The page of the first node, which has to be there. */
async function dashboardOf([node]: readonly Connected[]): Promise<{ readonly address: string; readonly url: string }> {
  if (node === undefined) throw new Error("a node is needed");
  const address = `http://${node.ready.http}/`;
  const page = await fetch(address);
  if (!page.ok) throw new Error(`the dashboard answered ${page.status}: ${await page.text()}`);
  const token = await readFile(join(node.dataDir, "http-token"), "latin1");
  return { address, url: `${address}#token=${token.trim()}` };
}

async function bootstrap(relay: Member, members: readonly Connected[], reporter: Reporter): Promise<void> {
  for (const { client } of members) {
    const isLinked = (peers: readonly { id: string }[]) => peers.some(({ id }) => id === relay.ready.id);
    await until(STEP_MS, "a link to the relay", () => client.peers(), isLinked);
  }
  reporter.step("bootstrap", "each node has an encrypted session with the relay");
}

function idAndAddress({ name, ready }: Member): { name: string; id: string; listen: string } {
  return { name, id: ready.id, listen: ready.listen };
}
