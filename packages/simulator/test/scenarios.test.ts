import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { generateIdentity, type Identity, type NodeId } from "@starling/crypto-identity";
import { FRAME_KIND, writeFrame } from "@starling/wire-protocol";
import { type Cell, runCell } from "../src/cell.ts";
import { createFleet } from "../src/fleet.ts";
import { seededRandom } from "../src/index.ts";
import { Invariants } from "../src/invariants.ts";
import type { SimNode } from "../src/machine.ts";
import { SCENARIOS } from "../src/scenarios/index.ts";
import { createStandInCrypto } from "../src/stand-in/session-crypto.ts";
import { World } from "../src/world.ts";

// Short runs of what `npm run sim` runs at length.

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** As `npm run sim` runs it, with the stand-ins that cannot be put in here. */
function sim(...args: readonly string[]): { cells: Cell[]; code: number | null; stderr: string } {
  const flags = ["--disable-warning=ExperimentalWarning", "--conditions=@starling/source"];
  const ran = spawnSync(process.execPath, [...flags, main, ...args], { encoding: "utf8" });
  const lines = ran.stdout.trim().split("\n");
  return {
    cells: ran.stdout === "" ? [] : lines.map((line) => JSON.parse(line) as Cell),
    code: ran.status,
    stderr: ran.stderr,
  };
}

test("a command line that says nothing sensible is answered by what can be run, and no stack", () => {
  for (const args of [["speed", "--nope"], ["broadcast", "--nope"], ["sped"], []]) {
    const { code, stderr } = sim(...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^sim: .+\nusage: npm run sim/) });
  }
});

const CHAOS_SEEDS = "1-5";
const CHILD_MS = 120_000;

describe("twenty machines and everything that can go wrong", () => {
  test(
    `seeds ${CHAOS_SEEDS}: no invariant is broken`,
    () => {
      const args = ["--nodes", "20", "--seed", CHAOS_SEEDS, "--messages", "40", "--crypto", "stand-in", "--json"];
      const { cells, code } = sim("chaos", ...args);
      expect(cells.map(({ seed, violations }) => ({ seed, violations }))).toEqual(
        [1, 2, 3, 4, 5].map((seed) => ({ seed, violations: [] })),
      );
      expect(code).toBe(0);
      for (const { figures } of cells) expect(figures).toMatchObject({ messages: expect.any(Number) });
    },
    CHILD_MS,
  );

  test(
    "one seed is one run, another seed another, with stand-ins and with real cryptography",
    () => {
      const hashes = (crypto: string, seed: string) => {
        const args = ["--nodes", "6", "--seed", seed, "--messages", "10", "--crypto", crypto, "--json"];
        return sim("chaos", ...args).cells.map(({ traceHash }) => traceHash);
      };
      const standIn = hashes("stand-in", "11-12");
      expect(hashes("stand-in", "11-12")).toEqual(standIn);
      expect(new Set(standIn).size).toBe(2);
      const real = hashes("real", "11");
      expect(real[0]).toMatch(/^[0-9a-f]{16}$/);
      expect(hashes("real", "11")).toEqual(real);
    },
    CHILD_MS,
  );
});

test("the command refuses what it does not know, and says what it takes", () => {
  expect(sim("nothing")).toMatchObject({ code: 2, cells: [] });
  expect(sim("chaos", "--nodes", "many").stderr).toContain("--nodes is a whole number");
  expect(sim("chaos", "--crypto", "none").code).toBe(2);
});

test("an unknown scenario is refused", () => {
  expect(() => runCell("nothing", { nodes: 2, seed: 1, messages: 1, crypto: "real" })).toThrow("nothing");
  expect(Object.keys(SCENARIOS)).toContain("unicast");
});

describe("the invariants", () => {
  test("see a Send that goes back to where it came from, and no other", () => {
    const random = seededRandom(3);
    const [relay, alice, bob] = [1, 2, 3].map(() => generateIdentity(random.bytes)) as [Identity, Identity, Identity];
    const cryptoOf = ({ id }: Identity) => createStandInCrypto({ id, network: "n", random: random.bytes });
    const invariants = new Invariants({ maxNeighbours: 8, maxChannels: 0 });
    const watched = invariants.tap(() => relay.id)(cryptoOf(relay));
    /** The keys of both ends of a session that `peer` began. */
    const session = (peer: Identity) => {
      const initiation = cryptoOf(peer).initiate(relay.id, new Uint8Array(0));
      const answer = watched.respond(initiation.message)?.respond(new Uint8Array(0));
      const finished = initiation.finish(answer?.message ?? new Uint8Array(0));
      if (answer === undefined || finished === undefined) throw new Error("the handshake failed");
      return { theirs: finished.keys, ours: answer.keys };
    };
    const [toAlice, toBob] = [session(alice), session(bob)];
    const frame = (lock: number, hops: number) => {
      const plaintext = new Uint8Array(400);
      const body = new Uint8Array(350).fill(lock);
      body[0] = hops;
      return plaintext.subarray(0, writeFrame(plaintext, 0, { kind: FRAME_KIND.send, number: 1, body }));
    };
    const header = new Uint8Array(13);
    const arrives = ({ theirs, ours }: typeof toAlice, lock: number, hops = 1) =>
      ours.receive.open(lock, header, theirs.send.seal(lock, header, frame(lock, hops)));
    const leaves = ({ ours }: typeof toAlice, lock: number, hops = 2) =>
      ours.send.seal(lock, header, frame(lock, hops));
    arrives(toAlice, 1);
    leaves(toBob, 1);
    leaves(toBob, 1);
    // It went to Bob before it came from Bob: the two crossed.
    arrives(toBob, 1);
    leaves(toBob, 1);
    expect(invariants.violations).toEqual([]);
    leaves(toAlice, 1);
    expect(invariants.violations).toEqual([`${relay.id} sent a Send back to ${alice.id}`]);
    // After a restart the relay cannot know it.
    arrives(toAlice, 2);
    invariants.forgot(relay.id);
    leaves(toAlice, 2);
    arrives(toBob, 3);
    invariants.clockStepped(relay.id);
    leaves(toBob, 3);
    // What goes out has come another way, in fragments, as its hops say; what cannot be decoded has not come at all.
    arrives(toBob, 4, 3);
    leaves(toBob, 4, 3);
    arrives(toAlice, 5, 255);
    leaves(toAlice, 5, 0);
    expect(invariants.violations).toHaveLength(1);
  });

  test("see each table beyond its bound, and nothing at the bound", () => {
    const world = new World({ seed: 1, loss: 0, duplication: 0 });
    const invariants = new Invariants({ maxNeighbours: 8, maxChannels: 2 });
    invariants.watch(world);
    const looksAt = (changes: { readonly [figure: string]: number }) => {
      const at = { neighbours: 28, pending: 65_536, filterBytes: 2 ** 27, channels: 2, waiting: 2000, ...changes };
      const core = {
        neighbours: () => Array.from({ length: at.neighbours }),
        pendingCount: at.pending,
        seenFilterBytes: at.filterBytes,
        channelPeers: () => Array.from({ length: at.channels }),
        waitingCount: at.waiting,
      };
      world.afterNodeStep?.({ id: "n", core } as unknown as SimNode);
      return invariants.violations.splice(0).length;
    };
    const beyond = [
      { neighbours: 29 },
      { pending: 65_537 },
      { filterBytes: 2 ** 27 + 1 },
      { channels: 3 },
      { waiting: 2001 },
    ];
    expect([{}, ...beyond].map(looksAt)).toEqual([0, 1, 1, 1, 1, 1]);
  });
});

describe("the ledger", () => {
  test("counts the frames of a message on the wire, its ack included, and once for each sending again", () => {
    const fleet = createFleet({ nodes: 2, seed: 4, crypto: "real", loss: 0, duplication: 0, joinMs: 10, natShare: 0 });
    const { world, ledger, nodes } = fleet;
    world.run(5000);
    const [alice, bob] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    const sent = ledger.send(alice, bob, "relay", 5000);
    expect(ledger.send(alice, bob, "relay", 5000)).toBeUndefined();
    world.run(5000);
    // There and back over one relay, or by a link of their own: two transmissions a hop.
    expect(sent).toMatchObject({ deliveries: 1, attempts: 1, failedWith: undefined });
    expect(sent?.transmissions).toBe(2 * (sent?.hops ?? 0));
    expect(ledger.unsettled()).toEqual([]);
    expect(ledger.unattributed).toBe(0);
  });

  test("sees a message that a program is handed twice, or that was for another", () => {
    const fleet = createFleet({ nodes: 2, seed: 5, crypto: "stand-in", joinMs: 10 });
    fleet.world.run(100);
    const { ledger, nodes } = fleet;
    const [alice, bob] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
    ledger.send(alice, bob, "any", 1000);
    const content = new TextEncoder().encode("0");
    const base = { key: "", kind: "message" as const, from: alice.id as NodeId, messageId: "", topic: "sim", content };
    const entry = { ...base, path: "relayed" as const, receivedAtMs: 0, expiresMs: 0, stream: "", seq: 0 };
    const message = { ...entry, lowestUnsettledSeq: 0 };
    ledger.hear(bob, { type: "deliver", message });
    expect(ledger.violations).toEqual([]);
    ledger.hear(bob, { type: "deliver", message });
    expect(ledger.violations).toHaveLength(1);
    ledger.hear(alice, { type: "deliver", message });
    expect(ledger.violations).toHaveLength(2);
  });
});
