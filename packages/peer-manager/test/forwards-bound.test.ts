import { describe, expect, test } from "@jest/globals";
import type { NodeId } from "@starling/crypto-identity";
import { identityFromSeed } from "@starling/crypto-identity";
import type { Frame } from "@starling/wire-protocol";
import { decodeMessage, encodeEnvelope, lockOf } from "@starling/wire-protocol";
import type { ForwarderOutput } from "../src/index.ts";
import { Forwarder, isCloser, sortByDistance } from "../src/index.ts";

// A network of forwarders alone, frames handed over at once, none lost: how often is one envelope forwarded, at most?

const NODES = 120;
const ANCHORS = 4;
const RANDOM_LINKS = 5;
const ids: readonly NodeId[] = Array.from({ length: NODES }, (_, i) => {
  return identityFromSeed(new Uint8Array(32).fill(i + 1)).id;
});

/** Links as membership makes them: the closest, and some far away, both ways; `holes` of the closest ones are missing. */
function linksOf(holes: number): Map<NodeId, Set<NodeId>> {
  const links = new Map(ids.map((id) => [id, new Set<NodeId>()]));
  const link = (a: NodeId, b: NodeId) => {
    links.get(a)?.add(b);
    links.get(b)?.add(a);
  };
  ids.forEach((id, i) => {
    const others = ids.filter((other) => other !== id).map((other) => ({ id: other }));
    for (const { id: anchor } of sortByDistance(id, others).slice(holes, holes + ANCHORS)) link(id, anchor);
    for (let k = 1; k <= RANDOM_LINKS; k += 1) {
      const far = ids[(i * 7 + k * 31) % NODES];
      if (far !== undefined && far !== id) link(id, far);
    }
  });
  return links;
}

/** Sends by each node of one envelope from an author to somebody who is not there; and what its author is told. */
function sendToNobody(links: Map<NodeId, Set<NodeId>>, author: NodeId, nobody: NodeId) {
  const forwarders = new Map(
    ids.map((id) => {
      const own = links.get(id) ?? new Set();
      const anchors = sortByDistance(
        id,
        [...own].map((peer) => ({ id: peer })),
      ).slice(0, ANCHORS);
      const known = {
        has: (peer: NodeId) => own.has(peer),
        reachable: () => [...own],
        anchors: () => anchors.map(({ id: anchor }) => anchor),
        isDoubtful: () => false,
        isSelfReachable: () => true,
      };
      return [id, new Forwarder(id, known)];
    }),
  );
  const at = (id: NodeId) => forwarders.get(id) as Forwarder;
  const lock = lockOf(new Uint8Array(16).fill(3));
  const nonce = new Uint8Array(8);
  const encodedEnvelope = encodeEnvelope({
    ...{ recipient: nobody, lock, timestampMs: 1, effort: 1, nonce },
    sealedBody: new Uint8Array(256),
  });
  const queue: { from: NodeId; to: NodeId; frame: Frame }[] = [];
  const forwards = new Map<NodeId, number>();
  let outcome: ForwarderOutput | undefined;
  const take = (from: NodeId, outputs: readonly ForwarderOutput[]) => {
    for (const output of outputs) {
      if (output.type === "settled") outcome = output;
      if (output.type === "send") queue.push({ from, to: output.peer, frame: output.frame });
    }
  };
  take(author, at(author).originate({ id: "x", lock, recipient: nobody, encodedEnvelope, avoidRecipient: false }, 0));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { from, to, frame } = next;
    const message = decodeMessage(frame);
    if (!message.ok) throw new Error(message.reason);
    if (message.value.type === "send") {
      forwards.set(from, (forwards.get(from) ?? 0) + 1);
      if (at(to).isPending("x")) take(to, at(to).repeated(from, "x"));
      else take(to, at(to).forward(from, "x", message.value, 0));
    } else if (message.value.type === "send-fail") {
      take(to, at(to).failed(from, message.value, 0));
    }
  }
  return { forwards, outcome };
}

describe("forwards of one envelope, PROTOCOL §7.6", () => {
  // Without its closest links a node is often a local minimum: the worst that this topology has.
  test.each([0, 2, 6])("one a node that has somebody closer, three at most a node that has not (%i holes)", (holes) => {
    const links = linksOf(holes);
    let most = 0;
    for (let i = 0; i < 20; i += 1) {
      const nobody = identityFromSeed(new Uint8Array(32).fill(200 + i)).id;
      const author = ids[i] as NodeId;
      const { forwards, outcome } = sendToNobody(links, author, nobody);
      expect(outcome).toMatchObject({ type: "settled", outcome: { type: "failed" } });
      for (const [id, count] of forwards) {
        const hasCloser = [...(links.get(id) ?? [])].some((peer) => isCloser(nobody, peer, id));
        expect(count).toBeLessThanOrEqual(hasCloser ? 1 : 3);
        most = Math.max(most, count);
      }
    }
    // The bound is reached: a network in which nobody is a local minimum would prove nothing.
    expect(most).toBe(3);
  });
});
