// Run as a process of its own, whose resources are nobody else's: channels cancelled at every stage and moment; each time all
// sockets, timers and objects have to be gone. Prints one line of JSON, and has to end by itself.
import v8 from "node:v8";
import { Channel } from "../../src/channel.ts";
import { DtlsLink } from "../../src/dtls-link.ts";
import { IceAgent } from "../../src/ice-agent.ts";
import { SctpLink } from "../../src/sctp-link.ts";
import { loadParts } from "../../src/werift-link.ts";
import { eventually, HOST, LABEL, overTheWire, TestHub } from "../support.ts";

const leftovers: string[] = [];
const reached = new Set<string>();

async function expectNothingLeft(stage: string): Promise<void> {
  // One step of ICE's schedule, 20 ms, is the longest timer that may still be pending.
  await eventually(() => (held().length === 0 ? true : undefined), stage, 200).catch(() => {
    leftovers.push(`${stage}: ${held().join(", ")}`);
  });
}

function held(): string[] {
  // The probe's own timer is the one that just fired.
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === "UDPWrap" || name === "Timeout" || name === "Immediate");
}

type Cut = { readonly a: TestHub; readonly b: TestHub; readonly cut: () => void };

/** Opens a channel and ends it from `side` when `arm` says so; each hub reports the end once. */
async function end(stage: string, side: "a" | "b", arm: (cut: Cut) => void): Promise<void> {
  const [a, b] = [new TestHub(), new TestHub()];
  const hub = side === "a" ? a : b;
  let hasBegun = false;
  a.onEvent = (event) => {
    if (event.type !== "described") return;
    hasBegun = true;
    b.hub.accept("c", LABEL, overTheWire(event.description));
  };
  b.onEvent = (event) => {
    if (event.type === "described") a.hub.answer("c", overTheWire(event.description));
  };
  arm({
    a,
    b,
    cut: () => {
      for (const { state, count } of hub.hub.stats().channels) if (count > 0) reached.add(state);
      hub.hub.cancel("c");
    },
  });
  a.hub.offer("c", LABEL);
  await hub.seen("closed");
  await Promise.all([a.hub.shutdown(), b.hub.shutdown()]);
  const times = [a.count("closed"), b.count("closed")].join(" and ");
  if (times !== `1 and ${hasBegun ? 1 : 0}`) leftovers.push(`${stage}: closed ${times} times`);
  await expectNothingLeft(stage);
}

/** Calls back after whatever the hub's own reaction is. */
function after(hub: TestHub, type: "described" | "opened", call: () => void): void {
  const before = hub.onEvent;
  hub.onEvent = (event) => {
    before(event);
    if (event.type === type) call();
  };
}

await loadParts();
await end("at once", "a", ({ cut }) => queueMicrotask(cut));
for (const side of ["a", "b"] as const) {
  await end(`${side} when both are open`, side, ({ a, b, cut }) => {
    const check = () => a.count("opened") + b.count("opened") === 2 && cut();
    after(a, "opened", check);
    after(b, "opened", check);
  });
  await end(`${side} when it is described`, side, ({ a, b, cut }) => after(side === "a" ? a : b, "described", cut));
  for (let afterMs = 0; afterMs <= 60; afterMs += 3) {
    await end(`${side} after ${afterMs} ms`, side, ({ a, cut }) => {
      const begin = () => setTimeout(cut, afterMs);
      if (side === "a") begin();
      else after(a, "described", begin);
    });
  }
}

// A peer that is not there: nothing answers, ICE and its transactions are under way.
const lonely = new TestHub();
lonely.hub.offer("c", LABEL);
const { description } = await lonely.seen("described");
lonely.hub.answer("c", {
  ...overTheWire(description),
  setup: "active",
  candidates: [{ type: "host", address: { ip: HOST, port: 9999 } }],
});
await eventually(
  () =>
    lonely.hub.stats().channels.some(({ state, count }) => state === "connecting" && count > 0) ? true : undefined,
  "ICE",
);
lonely.hub.close("c");
await lonely.hub.shutdown();
await expectNothingLeft("nobody there");

globalThis.gc?.();
await new Promise((resolve) => setImmediate(resolve));
globalThis.gc?.();
const { werift } = await loadParts();
const objects = Object.fromEntries(
  [
    Channel,
    IceAgent,
    DtlsLink,
    SctpLink,
    werift.Connection,
    werift.DtlsClient,
    werift.DtlsServer,
    werift.StunProtocol,
  ].map((type) => [type.name, v8.queryObjects(type, { format: "count" })]),
);
process.stdout.write(`${JSON.stringify({ leftovers, reached: [...reached].sort(), objects })}\n`);
