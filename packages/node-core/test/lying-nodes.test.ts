// What a neighbour's Nodes may have a search dial: one whole node, and a neighbour made of sessions alone, which says what it likes.
import { expect, test } from "@jest/globals";
import { createMint } from "@starling/hashcash";
import { createSessionCrypto, SessionTable } from "@starling/session";
import { decodeMessage, encodeMessage } from "@starling/wire-protocol";
import { NodeCore, type NodeInput, type NodeOutput } from "../src/index.ts";
import { at, counterRandom, FLOOR, identity } from "./support.ts";

const NOBODY = identity(99).id;
const NAMED = ["127.0.0.1", "10.0.0.1", "203.0.113.5"];

/** The ips that a node has sent to, beside the liar's, when it searched for a key of nobody by what the liar told. */
function dialledBy(search: NodeInput, liarIp: string): string[] {
  const [self, liar, random] = [identity(1), identity(2), counterRandom()];
  const [selfAddress, liarAddress] = [
    { ip: liarIp, port: 4001 },
    { ip: liarIp, port: 4002 },
  ];
  const contacts = NAMED.map((ip, i) => ({ id: identity(50 + i).id, address: { ip, port: 5353 } }));
  const core = new NodeCore(
    {
      ...{ identity: self, network: "test", announce: [], maxNeighbours: 8, random },
      ...{ bootstrap: [{ id: liar.id, address: liarAddress }], floor: () => FLOOR, publishFloor: () => FLOOR },
    },
    at(0),
  );
  let asked = 0;
  const liarTable = new SessionTable({
    ...{ crypto: createSessionCrypto({ identity: liar, network: "test", random }), random },
    owner: { pongBody: () => new Uint8Array(0), nodesBody: () => new Uint8Array(0) },
  });
  const reached: string[] = [];
  let mono = 0;
  const answer = () => {
    for (const { datagram } of liarTable.flush(at(mono))) {
      perform(core.handle({ type: "datagram", from: liarAddress, bytes: datagram }, at(mono)));
    }
  };
  function perform(outputs: readonly NodeOutput[]): void {
    for (const output of outputs) {
      if (output.type === "mint") {
        const { job, digest, effort, startNonce } = output;
        const nonce = createMint({ digest, effort, startNonce }).run(100_000) ?? new Uint8Array(8);
        perform(core.handle({ type: "minted", job, nonce }, at(mono)));
      } else if (output.type === "transmit" && output.to.port !== liarAddress.port) {
        reached.push(output.to.ip);
      } else if (output.type === "transmit") {
        for (const event of liarTable.receive(output.datagram, selfAddress, at(mono))) {
          if (event.type !== "frame") continue;
          const read = decodeMessage(event.frame);
          if (!read.ok) throw new Error(read.reason);
          if (read.value.type === "send") {
            const lock = read.value.envelope.lock;
            const fail = { type: "send-fail", lock, reason: "absent", detail: 0, t: undefined } as const;
            liarTable.send(self.id, encodeMessage(fail), at(mono));
          }
          if (read.value.type !== "lookup") continue;
          asked += 1;
          const { query } = read.value;
          const nodes = { type: "nodes", query, attached: false, contacts } as const;
          liarTable.send(self.id, encodeMessage(nodes), at(mono));
        }
        answer();
      }
    }
  }
  perform(core.handle({ type: "listening", on: true }, at(0)));
  const run = (ms: number) => {
    for (const end = mono + ms; mono < end; mono += 50) {
      perform(core.tick(at(mono)));
      liarTable.tick(at(mono));
      answer();
    }
  };
  run(2_000);
  expect(core.session(liar.id)).toBeDefined();
  perform(core.handle(search, at(mono)));
  run(10_000);
  expect(asked).toBeGreaterThan(0);
  return [...new Set(reached)].toSorted();
}

const trace: NodeInput = { type: "trace", id: "trace", to: NOBODY };
const content = new Uint8Array(1);
const submit: NodeInput = {
  ...{ type: "submit", id: "message", to: NOBODY, content, topic: "", via: "any", timeoutMs: 10_000 },
};

test.each([
  ["trace", trace],
  ["message", submit],
] as const)(
  "a %s follows what is named in scope alone: from outside neither loopback nor a private network",
  (_, search) => {
    expect(dialledBy(search, "203.0.114.7")).toEqual(["203.0.113.5"]);
    expect(dialledBy(search, "10.9.0.7")).toEqual(["10.0.0.1", "203.0.113.5"]);
    expect(dialledBy(search, "127.0.0.1")).toEqual(["10.0.0.1", "127.0.0.1", "203.0.113.5"]);
  },
);
