import { expect, test } from "@jest/globals";
import { formatAddress } from "@starling/wire-protocol";
import { NodeCore, type NodeInput, type NodeOutput } from "../src/index.ts";
import { counterRandom, identity, WALL } from "./support.ts";

// Cores joined by hand: a datagram that one sends is handed to the other at once.

const OFF_MS = -40_000;

test("a node whose clock is off dates what programs submit by its neighbours' clocks, one input or several at once", () => {
  let mono = 0;
  const random = counterRandom();
  const addressOf = (at: number) => ({ ip: "127.0.0.1", port: 4000 + at });
  const contacts = [0, 1, 2].map((at) => ({ id: identity(at + 1).id, address: addressOf(at) }));
  const now = (at: number) => ({ mono, wall: WALL + mono + (at === 3 ? OFF_MS : 0) });
  const cores = [0, 1, 2, 3].map((at) => {
    const options = {
      identity: identity(at + 1),
      network: "test",
      announce: [],
      maxNeighbours: 8,
      maxChannels: 0,
      random,
    };
    return new NodeCore({ ...options, bootstrap: at === 3 ? contacts : [] }, now(at));
  });
  const outside: NodeOutput[] = [];
  const perform = (from: number, outputs: readonly NodeOutput[]): void => {
    for (const output of outputs) {
      if (output.type !== "transmit") outside.push(output);
      else {
        const to = cores.findIndex((_, at) => formatAddress(addressOf(at)) === formatAddress(output.to));
        const input: NodeInput = { type: "datagram", from: addressOf(from), bytes: output.datagram };
        const core = cores[to];
        if (core !== undefined) perform(to, core.handle(input, now(to)));
      }
    }
  };
  const run = (ms: number): void => {
    for (const end = mono + ms; mono < end; mono += 100) {
      for (const [at, core] of cores.entries()) perform(at, core.tick(now(at)));
    }
  };
  run(40_000);
  const [, , , off] = cores;
  const [{ id: to } = { id: "" as never }] = contacts;
  const submit = { type: "submit", to, content: new Uint8Array(1), topic: "", via: "any", timeoutMs: 10_000 } as const;
  perform(3, off?.handle({ ...submit, id: "one" }, now(3)) ?? []);
  perform(3, off?.handleAll([{ ...submit, id: "two" }], now(3)) ?? []);
  run(1000);
  const expiries = outside.flatMap((output) => (output.type === "store" ? output.entry.expiresMs : []));
  expect(expiries).toHaveLength(2);
  for (const expiresMs of expiries) expect(Math.abs(expiresMs - (WALL + 40_000 + 10_000))).toBeLessThan(2000);
});
