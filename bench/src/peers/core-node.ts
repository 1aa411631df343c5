import { generateIdentity, type NodeId, parseNodeId, systemRandom as random } from "@starling/crypto-identity";
import { createMint } from "@starling/hashcash";
import type { MintPool } from "@starling/hashcash/pool";
import { NodeCore, type NodeCoreOptions, type NodeInput, type NodeOutput } from "@starling/node-core";
import { type Driver, startDriver, systemNow } from "@starling/node-core/driver";
import { openUdpSocket } from "@starling/udp-transport";
import { type Contact, formatAddress, parseAddress } from "@starling/wire-protocol";

// A node as a library beside libraries: the shipped core on a UDP socket of this process, with no local API and no disk under it.

/** Per second, of a link: a stamp-free load is not what the quotas are made for. */
const PLENTY = { messagesPerSecond: 1_000_000, bytesPerSecond: 10_000_000_000 };
const FREE_HASHES_MAX = 100_000;

export type CoreNodeOptions = {
  readonly network: string;
  /** `ID@IP:PORT`. */
  readonly bootstrap: readonly string[];
  /** Mints the stamps that the protocol asks for; without it the node asks for an effort of 1, a hash or two. */
  readonly pool: MintPool | undefined;
  readonly onOutput: (output: NodeOutput) => void;
};

export type CoreNode = {
  readonly id: NodeId;
  readonly contact: string;
  readonly core: NodeCore;
  feed(input: NodeInput): void;
  close(): Promise<void>;
};

export async function startCoreNode(options: CoreNodeOptions): Promise<CoreNode> {
  const { network, bootstrap, pool, onOutput } = options;
  const identity = generateIdentity(random);
  const core = new NodeCore(
    {
      identity,
      network,
      bootstrap: bootstrap.map(readContact),
      announce: [],
      maxNeighbours: 256,
      maxChannels: 0,
      random,
      ...(pool === undefined ? withoutStamps() : {}),
    },
    systemNow(),
  );
  let driver: Driver<NodeInput> | undefined;
  const socket = await openUdpSocket({
    host: "127.0.0.1",
    port: 0,
    onDatagram: (bytes, from) => driver?.feed({ type: "datagram", bytes, from }),
  });
  const feed = (input: NodeInput): void => driver?.later(input);
  driver = startDriver<NodeInput, NodeOutput>({
    core,
    perform: (output) => {
      if (output.type === "transmit") socket.send(output.datagram, output.to);
      else if (output.type === "store") feed({ type: "stored", key: output.entry.key, ok: true });
      else if (output.type === "mint") mint(output, pool, feed);
      else onOutput(output);
    },
  });
  feed({ type: "listening", on: true });
  return {
    id: identity.id,
    contact: `${identity.id}@${formatAddress(socket.address)}`,
    core,
    feed,
    close: async () => {
      driver?.close();
      await socket.close();
    },
  };
}

export function readContact(text: string): Contact {
  const [id = "", address = ""] = text.split("@");
  return { id: parseNodeId(id), address: parseAddress(address) };
}

function withoutStamps(): Pick<NodeCoreOptions, "floor" | "publishFloor" | "quota"> {
  return { floor: () => 1, publishFloor: () => 1, quota: { link: PLENTY, recipient: PLENTY, total: PLENTY } };
}

function mint(
  { job, digest, effort, startNonce, deadlineMs }: Extract<NodeOutput, { type: "mint" }>,
  pool: MintPool | undefined,
  feed: (input: NodeInput) => void,
): void {
  if (pool === undefined) {
    // A few hashes, as nobody asks for more.
    const nonce = createMint({ digest, effort, startNonce }).run(FREE_HASHES_MAX);
    feed(nonce === undefined ? { type: "mint-failed", job } : { type: "minted", job, nonce });
  } else {
    pool.mint({ digest, effort, startNonce, deadlineMs }).then(
      ({ nonce }) => feed({ type: "minted", job, nonce }),
      () => feed({ type: "mint-failed", job }),
    );
  }
}
