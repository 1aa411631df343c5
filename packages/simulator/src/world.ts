import type { Identity } from "@starling/crypto-identity";
import { generateIdentity } from "@starling/crypto-identity";
import { createMint } from "@starling/hashcash";
import type {
  NodeCoreOptions,
  NodeInput,
  NodeOutput,
  RelayCoreOptions,
  RelayInput,
  RelayOutput,
  RtcCommand,
} from "@starling/node-core";
import { NodeCore, RelayCore } from "@starling/node-core";
import type { SessionCrypto } from "@starling/session";
import { createSessionCrypto } from "@starling/session";
import type { Address, Contact } from "@starling/wire-protocol";
import { EventQueue } from "./event-queue.ts";
import type { NetworkConditions } from "./network.ts";
import { Network } from "./network.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualRtc } from "./virtual-rtc.ts";

// A world of the shipped cores under virtual time. Nothing of them is replaced but what the driver would do: the network, the
// clock, chance, the minting worker and the disk.

/** Wall time at virtual zero. */
const EPOCH_MS = 1_800_000_000_000;
/** How fast a virtual worker mints: the hashes are real, the time they take is this. */
const MINT_HASHES_PER_MS = 5000;
const DISK_MS = 2;

export type WorldOptions = NetworkConditions & { readonly seed: number; readonly network?: string };

/** Stands between a core and the real session cryptography: to look at what is decrypted, or to change what is sent. */
export type CryptoTap = (real: SessionCrypto) => SessionCrypto;

type Timed = { tick(now: { mono: number; wall: number }): unknown; nextDeadline(): number | null };

export type SimRelay = { readonly core: RelayCore; readonly contact: Contact; readonly identity: Identity };

export type SimNode = {
  readonly core: NodeCore;
  readonly identity: Identity;
  readonly address: Address;
  /** All outputs but datagrams, in order. */
  readonly outputs: NodeOutput[];
  readonly feed: (input: NodeInput) => void;
};

export class World {
  readonly queue: EventQueue = new EventQueue();
  readonly network: Network;
  readonly rtc: VirtualRtc;
  readonly #random: SeededRandom;
  readonly #name: string;
  #hosts = 0;

  constructor(options: WorldOptions) {
    this.#random = seededRandom(options.seed);
    this.#name = options.network ?? "simulated";
    this.network = new Network(this.queue, this.#random.fork(), options);
    const [least] = options.latencyMs;
    this.rtc = new VirtualRtc(this.queue, () => least);
  }

  addRelay(options: Partial<RelayCoreOptions> = {}, tap: CryptoTap = (real) => real): SimRelay {
    const { identity, address, common } = this.#host(tap);
    const core = new RelayCore({ ...common, identity, announce: [address], ...options }, this.#now());
    this.#run<RelayInput, RelayOutput>(core, address, () => {});
    return { core, contact: { id: identity.id, address }, identity };
  }

  addNode(options: Partial<NodeCoreOptions> = {}, tap: CryptoTap = (real) => real): SimNode {
    const { identity, address, common } = this.#host(tap);
    const core = new NodeCore({ ...common, identity, ...options }, this.#now());
    const outputs: NodeOutput[] = [];
    const feed = this.#run<NodeInput, NodeOutput>(core, address, (output) => {
      outputs.push(output);
      if (output.type === "mint") this.#mint(output, feed);
      if (isRtcCommand(output)) this.rtc.perform(output, feed);
      if (output.type === "store") {
        this.queue.at(this.queue.nowMs + DISK_MS, () => feed({ type: "stored", key: output.entry.key, ok: true }));
      }
    });
    return { core, identity, address, outputs, feed };
  }

  /** Lets virtual time pass until `done` holds; false where it did not within `withinMs`. */
  runUntil(done: () => boolean, withinMs: number): boolean {
    const untilMs = this.queue.nowMs + withinMs;
    while (!done()) if (!this.queue.step(untilMs)) return false;
    return true;
  }

  run(forMs: number): void {
    this.runUntil(() => false, forMs);
  }

  #host(tap: CryptoTap) {
    this.#hosts += 1;
    const random = this.#random.fork();
    const identity = generateIdentity(random.bytes);
    const address: Address = { ip: `198.18.${this.#hosts >> 8}.${this.#hosts & 0xff}`, port: 4000 };
    const common = {
      network: this.#name,
      bootstrap: [],
      announce: [],
      maxNeighbours: 256,
      random: random.bytes,
      crypto: tap(createSessionCrypto({ identity, network: this.#name, random: random.bytes })),
    };
    return { identity, address, common };
  }

  #now(): { mono: number; wall: number } {
    return { mono: this.queue.nowMs, wall: EPOCH_MS + Math.floor(this.queue.nowMs) };
  }

  /** What node-core's driver does, on virtual time. */
  #run<Input extends { type: string }, Output extends { type: string }>(
    core: Timed & { handle(input: Input | RelayInput, now: { mono: number; wall: number }): Output[] },
    address: Address,
    perform: (output: Output) => void,
  ): (input: Input) => void {
    let armedForMs = Number.POSITIVE_INFINITY;
    const run = (outputs: readonly Output[]) => {
      for (const output of outputs) {
        const transmit = output as unknown as RelayOutput;
        if (transmit.type === "transmit") this.network.send(address, transmit.to, transmit.datagram);
        else perform(output);
      }
      const deadline = core.nextDeadline();
      if (deadline === null || deadline >= armedForMs) return;
      armedForMs = deadline;
      this.queue.at(deadline, () => {
        if (armedForMs !== deadline) return;
        armedForMs = Number.POSITIVE_INFINITY;
        run(core.tick(this.#now()) as Output[]);
      });
    };
    this.network.attach(address, (bytes, from) => run(core.handle({ type: "datagram", from, bytes }, this.#now())));
    this.queue.at(this.queue.nowMs, () => run(core.tick(this.#now()) as Output[]));
    return (input) => run(core.handle(input, this.#now()));
  }

  #mint(request: Extract<NodeOutput, { type: "mint" }>, feed: (input: NodeInput) => void): void {
    const mint = createMint(request);
    let nonce: Uint8Array | undefined;
    while (nonce === undefined) nonce = mint.run(1 << 16);
    const found = nonce;
    this.queue.at(this.queue.nowMs + mint.hashes / MINT_HASHES_PER_MS, () =>
      feed({ type: "minted", job: request.job, nonce: found }),
    );
  }
}

function isRtcCommand(output: NodeOutput): output is RtcCommand {
  return output.type.startsWith("rtc-");
}
