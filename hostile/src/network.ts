import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pass } from "@starling/lab/deadline";
import { connect } from "@starling/local-client";
import { formatAddress } from "@starling/wire-protocol/address";
import type { Target } from "./attack.ts";
import { Daemon } from "./daemon.ts";
import { HonestPair } from "./honest-pair.ts";

// What is attacked: a relay, or whatever --target names, and two nodes that know each other over it.

const LINKED_MS = 15_000;
const LOOK_MS = 50;

export type AttackedNetwork = {
  readonly target: Target;
  readonly relay: Daemon | undefined;
  readonly node: Daemon;
  readonly sender: Daemon;
  readonly pair: HonestPair;
  stop(): Promise<void>;
};

export async function startNetwork(name: string, foreign: Target | undefined): Promise<AttackedNetwork> {
  const folder = await mkdtemp(join(tmpdir(), "starling-hostile-"));
  const daemons: Daemon[] = [];
  const start = async (program: "relay" | "node", data: string, more: readonly string[]): Promise<Daemon> => {
    const common = ["start", "--data-dir", join(folder, data), "--network", name, "--log-level", "debug"];
    const daemon = Daemon.start(data, program, [...common, ...more]);
    // Before it is ready: one that never is has to be ended as well.
    daemons.push(daemon);
    await daemon.whenReady();
    return daemon;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const http = ["--http", "127.0.0.1:0"];
    // A port of its own choice that it keeps over a restart.
    const relay =
      foreign === undefined
        ? await start("relay", "relay", ["--listen", `127.0.0.1:${freePort()}`, ...http])
        : undefined;
    const target: Target | undefined = foreign ?? (relay && { id: relay.id, address: relay.address });
    if (target === undefined) throw new Error("nothing to attack");
    const listen = ["--listen", `${target.address.ip.includes(":") ? "[::1]" : "127.0.0.1"}:0`];
    const bootstrap = ["--bootstrap", `${target.id}@${formatAddress(target.address)}`];
    const sender = await start("node", "sender", [...listen, ...bootstrap]);
    const node = await start("node", "node", [...listen, ...bootstrap, ...http]);
    const untilMs = performance.now() + LINKED_MS;
    for (const { socket } of [sender, node]) {
      const client = await connect(socket);
      while (!(await client.peers()).some(({ id }) => id === target.id)) {
        if (performance.now() > untilMs)
          throw new Error("the target does not answer: is its --id right, its --network?");
        await pass(LOOK_MS);
      }
      client.close();
    }
    const pair = await HonestPair.begin(sender, node);
    const stopAll = (): Promise<void> => {
      pair.close();
      return stop();
    };
    return { target, relay, node, sender, pair, stop: stopAll };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Above the ports that systems give out by themselves, and by chance, so that two runs seldom meet. */
function freePort(): number {
  return 61_000 + Math.floor(Math.random() * 4_000);
}
