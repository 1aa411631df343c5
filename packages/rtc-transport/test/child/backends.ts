// Two backends against each other, by name, in a process of its own: node-datachannel's threads would keep the one that tests. Prints
// what was seen as one line of JSON.
import { createHash } from "node:crypto";
import type { RtcBackend } from "../../src/index.ts";
import { type NodeDataChannel, nodeDataChannelBackend } from "../../src/node-datachannel.ts";
import { weriftBackend } from "../../src/werift-link.ts";
import { eventually, LABEL, open, overTheWire, seeded, TestHub } from "../support.ts";

type Native = NodeDataChannel & { cleanup(): void };
// No dependency of this package: its types are not read.
const name: string = "node-datachannel";
const native: Native | undefined = process.argv.includes(name) ? await import(name) : undefined;
const [first, second] = process.argv.slice(2).map((asked): RtcBackend => {
  return asked === name && native !== undefined ? nodeDataChannelBackend(native) : weriftBackend;
});
const pair = (openTimeoutMs = 15_000): [TestHub, TestHub] => [
  new TestHub({ ...(first && { backend: first }), openTimeoutMs }),
  new TestHub({ ...(second && { backend: second }), openTimeoutMs }),
];
const shutdown = (...hubs: TestHub[]) => Promise.all(hubs.map(({ hub }) => hub.shutdown()));
const digest = (messages: readonly Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const message of messages) hash.update(`${message.length} `).update(message);
  return hash.digest("hex");
};
await weriftBackend.warmUp();

/** 1,000 messages both ways, one of 256 KiB among them, then 20 and a close. */
async function exchange() {
  const [a, b] = pair();
  await open(a, b);
  const random = seeded(3);
  const sent = Array.from({ length: 1000 }, (_, i) =>
    Uint8Array.from({ length: i === 500 ? 262_144 : 1 + Math.floor(random() * 600) }, () => Math.floor(random() * 256)),
  );
  for (const { hub } of [a, b]) {
    for (const message of sent) while (hub.send("c", message) === "full") await hub.room("c");
  }
  for (const to of [a, b]) await eventually(() => (to.count("message") >= 1000 ? true : undefined), "messages", 15_000);
  const isSame = [a, b].map((to) => digest(to.messages()) === digest(sent));
  for (let i = 0; i < 20; i += 1) a.hub.send("c", new Uint8Array(16_384).fill(i));
  a.hub.close("c");
  const reasons = [(await a.seen("closed")).reason, (await b.seen("closed")).reason];
  const lastWords = b.count("message") - 1000;
  await shutdown(a, b);
  return { isSame, reasons, lastWords };
}

/** Another certificate than the one described, and another label: how often a channel opens. */
async function lies() {
  const [a, b] = pair(2500);
  a.hub.offer("1", LABEL);
  const offer = overTheWire((await a.seen("described", "1")).description);
  b.hub.accept("1", LABEL, { ...offer, fingerprint: offer.fingerprint.map((byte) => byte ^ 1) });
  a.hub.answer("1", overTheWire((await b.seen("described", "1")).description));
  a.hub.offer("2", LABEL);
  b.hub.accept("2", "ff", overTheWire((await a.seen("described", "2")).description));
  a.hub.answer("2", overTheWire((await b.seen("described", "2")).description));
  for (const channel of ["1", "2"]) await Promise.all([a, b].map((end) => end.seen("closed", channel, 8000)));
  const opened = a.count("opened") + b.count("opened");
  await shutdown(a, b);
  return opened;
}

/** Cancelled at several moments: how often it was told. */
async function cancels() {
  const told: number[] = [];
  for (const afterMs of [0, 5, 20, 60, 150]) {
    const [a, b] = pair();
    a.hub.offer("c", LABEL);
    a.onEvent = (event) => event.type === "described" && b.hub.accept("c", LABEL, overTheWire(event.description));
    b.onEvent = (event) => event.type === "described" && a.hub.answer("c", overTheWire(event.description));
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    a.hub.cancel("c");
    await a.seen("closed");
    await shutdown(a, b);
    told.push(a.count("closed"));
  }
  return told;
}

const seen = { ...(await exchange()), opened: await lies(), cancels: await cancels() };
await new Promise((resolve) => process.stdout.write(`${JSON.stringify(seen)}\n`, resolve));
native?.cleanup();
process.exit();
