import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { generateIdentity } from "@starling/crypto-identity";
import { CommandError, EXIT, type LogLevel } from "@starling/daemon";
import { createLog } from "@starling/daemon/log";
import { connect, type LocalClient } from "@starling/local-client";
import { RelayCore, type RelayInput, type RelayOutput } from "@starling/node-core";
import { type Driver, startDriver, systemNow } from "@starling/node-core/driver";
import { openUdpSocket } from "@starling/udp-transport";
import { formatAddress } from "@starling/wire-protocol";
import { readNodeConfig } from "./config.ts";
import { contactOf } from "./contact.ts";
import { startNode } from "./wiring.ts";

// The node inside another program: the same daemon, its local API included, so other programs may connect to it as well.

/** The settings of a node; each is one of `starling config print-defaults`. */
export type NodeOptions = {
  /** Key, inbox and socket. Without it the node has a key and an inbox for its lifetime only. */
  readonly dataDir?: string;
  /** UDP, `IP:PORT`; default `0.0.0.0:0`. */
  readonly listen?: string;
  /** `ID@IP:PORT` of nodes to connect to first. */
  readonly bootstrap?: readonly string[];
  readonly announce?: readonly string[];
  /** The local API over WebSocket too, at a `IP:PORT` on loopback; default off. */
  readonly http?: string;
  /** Pages from elsewhere that may use it, such as `http://localhost:5173`. */
  readonly httpOrigin?: readonly string[];
  readonly network?: string;
  readonly maxChannels?: number;
  /** `relayed-only`: no address of this node is shown to anybody but its neighbours, and no channel opened. Default `all`. */
  readonly icePolicy?: "all" | "relayed-only";
  /** Where the log goes is standard output; default `silent`. */
  readonly logLevel?: LogLevel;
};

/** All that a LocalClient does, and the node's own end. */
export type EmbeddedNode = {
  readonly id: string;
  /** `ID@IP:PORT`, what others bootstrap with where they can reach the address. */
  readonly contact: string;
  /** The path at which other programs connect. */
  readonly socket: string;
  /** `IP:PORT` of the local API over WebSocket, null where it is off; its token is in the data directory's `http-token`. */
  readonly http: string | null;
  readonly client: LocalClient;
  /** Stops the node; resolves when its port and directory are free. A directory of its own is removed. */
  close(): Promise<void>;
};

/** Starts a node in this process. Rejects as `starling start` would fail: a setting that is wrong, a port that is taken; in a worker with `E_WORKER_THREAD`. */
export async function createNode(options: NodeOptions = {}): Promise<EmbeddedNode> {
  // Its sockets are made with a umask that lets nobody else in, for not even a moment, and only there can it be set.
  if (!isMainThread)
    throw new CommandError(
      "E_WORKER_THREAD",
      "a node runs in a program's main thread only: start it there, and connect() to its socket from here",
      EXIT.failure,
    );
  const { logLevel = "silent", dataDir, ...rest } = options;
  const ownDir = dataDir ?? (await mkdtemp(join(tmpdir(), "starling-")));
  const removeDir = async (): Promise<void> => {
    if (dataDir === undefined) await rm(ownDir, { recursive: true, force: true });
  };
  try {
    const config = readNodeConfig({ ...rest, logLevel, dataDir: ownDir }, {});
    const node = await startNode(config, createLog({ level: logLevel, name: "starling" }));
    const client = await connect(node.socket).catch(async (error) => {
      await node.stop();
      throw error;
    });
    return {
      id: node.id,
      contact: contactOf(node.id, node.listen, config.announce),
      socket: node.socket,
      http: node.http,
      client,
      close: async () => {
        client.close();
        await node.stop();
        await removeDir();
      },
    };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

/** A network in this process. */
export type Testnet = {
  /** As many as were asked for, each with a link. */
  readonly nodes: readonly EmbeddedNode[];
  /** Stops all of it. */
  close(): Promise<void>;
};

/** A relay and `count` nodes on loopback in this process, linked: for tests of programs that use the network. */
export async function testnet(count: number): Promise<Testnet> {
  const network = `testnet-${randomBytes(4).toString("hex")}`;
  const relay = await startRelay(network);
  const nodes: EmbeddedNode[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()));
    await relay.close();
  };
  try {
    const options = { listen: "127.0.0.1:0", bootstrap: [relay.contact], network };
    const started = await Promise.allSettled(Array.from({ length: count }, () => createNode(options)));
    nodes.push(...started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])));
    // Only now, when those that did start can be stopped.
    for (const each of started) if (each.status === "rejected") throw each.reason;
    await Promise.all(nodes.map(({ client }) => linked(client)));
    return { nodes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function linked(client: LocalClient): Promise<void> {
  const links = await client.subscribe({ events: ["link"] });
  if ((await client.peers()).length === 0) await links.next();
  await links.unsubscribe();
}

/** The least that is a relay: its core on a socket, with a key for its lifetime. */
async function startRelay(network: string): Promise<{ contact: string; close(): Promise<void> }> {
  const random = (sizeBytes: number): Uint8Array => randomBytes(sizeBytes);
  const identity = generateIdentity(random);
  const core = new RelayCore(
    { identity, network, bootstrap: [], announce: [], maxNeighbours: 256, random },
    systemNow(),
  );
  let driver: Driver<RelayInput> | undefined;
  const socket = await openUdpSocket({
    host: "127.0.0.1",
    port: 0,
    onDatagram: (bytes, from) => driver?.feed({ type: "datagram", bytes, from }),
  });
  driver = startDriver<RelayInput, RelayOutput>({
    core,
    perform: (output) => {
      if (output.type === "transmit") socket.send(output.datagram, output.to);
    },
  });
  return {
    contact: `${identity.id}@${formatAddress(socket.address)}`,
    close: async () => {
      driver?.close();
      await socket.close();
    },
  };
}
