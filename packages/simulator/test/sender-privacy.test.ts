import { describe, expect, test } from "@jest/globals";
import type { NodeId, SessionKeys } from "@starling/crypto-identity";
import { nodeIdToBytes, parseNodeId } from "@starling/crypto-identity";
import { FRAME_KIND, readFrames } from "@starling/wire-protocol";
import type { CryptoTap } from "../src/index.ts";
import { World } from "../src/index.ts";

// What a relay can read. It holds the keys of its sessions, so every frame is in the clear inside it; the author of a unicast
// and its text must not be among them.

const TEXT = "the rook flies at noon";

/** Replaces how a side opens or seals its Data, in sessions begun by either end. */
function tapKeys(change: (keys: SessionKeys) => SessionKeys): CryptoTap {
  return (real) => ({
    ...real,
    initiate: (responder, payload) => {
      const { message, finish } = real.initiate(responder, payload);
      return {
        message,
        finish: (welcome) => {
          const finished = finish(welcome);
          return finished && { ...finished, keys: change(finished.keys) };
        },
      };
    },
    respond: (message) => {
      const response = real.respond(message);
      return (
        response && {
          ...response,
          respond: (payload) => {
            const answer = response.respond(payload);
            return { ...answer, keys: change(answer.keys) };
          },
        }
      );
    },
  });
}

/** Collects every plaintext that this side decrypts. */
function listenIn(plaintexts: Uint8Array[]): CryptoTap {
  return tapKeys((keys) => ({
    ...keys,
    receive: {
      ...keys.receive,
      open: (counter, header, ciphertext) => {
        const plaintext = keys.receive.open(counter, header, ciphertext);
        if (plaintext !== undefined) plaintexts.push(plaintext.slice());
        return plaintext;
      },
    },
  }));
}

/** Writes bytes over the end of every Send frame that this side sends: a node that gives its author away. */
function plant(leak: Uint8Array): CryptoTap {
  return tapKeys((keys) => ({
    ...keys,
    send: {
      ...keys.send,
      seal: (counter, header, plaintext) => {
        const frames = readFrames(plaintext);
        for (const frame of frames.ok ? frames.value : []) {
          if (frame.kind === FRAME_KIND.send) frame.body.set(leak, frame.body.length - leak.length);
        }
        return keys.send.seal(counter, header, plaintext);
      },
    },
  }));
}

function sendBodies(plaintexts: readonly Uint8Array[]): Uint8Array[] {
  return plaintexts.flatMap((plaintext) => {
    const frames = readFrames(plaintext);
    if (!frames.ok) throw new Error(frames.reason);
    return frames.value.filter(({ kind }) => kind === FRAME_KIND.send).map(({ body }) => body);
  });
}

/** The forms in which a frame could give its author or its text away. */
function traces(author: NodeId): [string, Buffer][] {
  const id = Buffer.from(nodeIdToBytes(author));
  const base64 = id.toString("base64");
  return [
    ["id, raw", id],
    ["id, raw, reversed", Buffer.from(id.toReversed())],
    ["id in hex", Buffer.from(author)],
    ["id in upper-case hex", Buffer.from(author.toUpperCase())],
    // Without its end, which depends on what follows the id.
    ["id in base64", Buffer.from(base64.slice(0, 42))],
    ["id in base64url", Buffer.from(id.toString("base64url").slice(0, 42))],
    ["text", Buffer.from(TEXT)],
    ["text in hex", Buffer.from(Buffer.from(TEXT).toString("hex"))],
    ["text in base64", Buffer.from(Buffer.from(TEXT).toString("base64").slice(0, 28))],
  ];
}

function found(bodies: readonly Uint8Array[], author: NodeId): string[] {
  return traces(author)
    .filter(([, needle]) => bodies.some((body) => Buffer.from(body).includes(needle)))
    .map(([name]) => name);
}

function runWith(tapAuthor: (author: NodeId) => CryptoTap): {
  bodies: Uint8Array[];
  author: NodeId;
  delivered: number;
} {
  const plaintexts: Uint8Array[] = [];
  const world = new World({ seed: 21, latencyMs: [5, 20], loss: 0, duplication: 0 });
  const relay = world.addRelay({}, listenIn(plaintexts));
  const bootstrap = [relay.contact];
  const alice = world.addNode({ bootstrap }, (real) => tapAuthor(real.id)(real));
  const bob = world.addNode({ bootstrap });
  bob.feed({ type: "listening", on: true });
  world.runUntil(() => relay.core.neighbours().length === 2, 5000);
  const content = new TextEncoder().encode(TEXT);
  alice.feed({ type: "submit", id: "1", to: bob.core.id, content, topic: TEXT, via: "relay", timeoutMs: 2000 });
  world.run(3000);
  const delivered = bob.outputs.filter(({ type }) => type === "deliver").length;
  return { bodies: sendBodies(plaintexts), author: alice.core.id, delivered };
}

describe("the decrypted Send frames inside a relay", () => {
  test("hold neither their author's id nor their text, in any form", () => {
    const { bodies, author, delivered } = runWith(() => (real) => real);
    expect(delivered).toBe(1);
    expect(bodies).toHaveLength(1);
    expect(found(bodies, author)).toEqual([]);
  });

  test.each(traces(parseNodeId(`09${"00".repeat(31)}`)).map(([name], index) => [name, index] as const))(
    "a planted leak is found: %s",
    (name, index) => {
      const { bodies, author } = runWith((id) => plant(traces(id)[index]?.[1] ?? Buffer.alloc(0)));
      expect(bodies.length).toBeGreaterThan(0);
      expect(found(bodies, author)).toEqual([name]);
    },
  );
});
