import type { Identity, NodeId } from "@starling/crypto-identity";
import type {
  NodeCore,
  NodeInput,
  NodeOutput,
  RelayCore,
  RelayInput,
  RelayOutput,
  RtcCommand,
} from "@starling/node-core";
import type { Address, Contact } from "@starling/wire-protocol";
import { Disk } from "./disk.ts";
import type { EventQueue } from "./event-queue.ts";
import { type Clock, Life, type Now } from "./life.ts";
import type { Network, Place } from "./network.ts";
import { mint } from "./virtual-mint.ts";
import type { VirtualRtc } from "./virtual-rtc.ts";

const DISK_MS = 2;

type MachineParts = {
  readonly index: number;
  readonly identity: Identity;
  readonly place: Place;
  readonly queue: EventQueue;
  readonly network: Network;
  readonly clock: Clock;
};

export type RelayParts = MachineParts & {
  readonly boot: (now: Now) => RelayCore;
  readonly afterStep: ((relay: SimRelay) => void) | undefined;
};

export type NodeParts = MachineParts & {
  readonly boot: (now: Now, disk: Disk) => NodeCore;
  readonly afterStep: ((node: SimNode) => void) | undefined;
  readonly rtc: VirtualRtc;
  readonly keepsOutputs: boolean;
  readonly hashesPerMs: number | undefined;
};

/** A machine that runs a relay. It keeps nothing over a restart but its key. */
export class SimRelay {
  readonly index: number;
  readonly identity: Identity;
  readonly place: Place;
  readonly clock: Clock;
  readonly #parts: RelayParts;
  /** How often it has been started. */
  lives = 0;
  #life: Life<RelayInput, RelayOutput> | undefined;
  #core: RelayCore | undefined;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.index = parts.index;
    this.identity = parts.identity;
    this.place = parts.place;
    this.clock = parts.clock;
    this.start();
  }

  get id(): NodeId {
    return this.identity.id;
  }

  get contact(): Contact {
    return { id: this.identity.id, address: this.place.address };
  }

  /** The core of the life that is, or of the last that was. */
  get core(): RelayCore {
    return this.#core as RelayCore;
  }

  get isUp(): boolean {
    return this.#life?.isAlive === true;
  }

  start(): void {
    if (this.isUp) return;
    this.lives += 1;
    const { boot, afterStep } = this.#parts;
    this.#life = new Life<RelayInput, RelayOutput>({
      ...this.#parts,
      boot: (now) => {
        this.#core = boot(now);
        return this.#core;
      },
      perform: () => {},
      afterStep: afterStep && (() => afterStep(this)),
    });
  }

  kill(): void {
    this.#life?.kill();
  }

  close(): void {
    this.#life?.close();
  }
}

/** A machine that runs a node, with its disk. */
export class SimNode {
  readonly index: number;
  readonly identity: Identity;
  readonly place: Place;
  readonly clock: Clock;
  readonly disk: Disk = new Disk();
  /** All outputs but datagrams, in order, where the world keeps them. */
  readonly outputs: NodeOutput[] = [];
  /** Hears each output but datagrams. */
  onOutput: ((output: NodeOutput) => void) | undefined;
  /** How often it has been started. */
  lives = 0;
  /** How long its minting worker has worked for what was asked so far. */
  mintedMs = 0;
  readonly #parts: NodeParts;
  #life: Life<NodeInput, NodeOutput> | undefined;
  #core: NodeCore | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.index = parts.index;
    this.identity = parts.identity;
    this.place = parts.place;
    this.clock = parts.clock;
    this.start();
  }

  get id(): NodeId {
    return this.identity.id;
  }

  get address(): Address {
    return this.place.address;
  }

  /** The core of the life that is, or of the last that was. */
  get core(): NodeCore {
    return this.#core as NodeCore;
  }

  get isUp(): boolean {
    return this.#life?.isAlive === true;
  }

  feed(input: NodeInput): void {
    this.#life?.feed(input);
  }

  start(): void {
    if (this.isUp) return;
    this.lives += 1;
    const { boot, afterStep } = this.#parts;
    this.#life = new Life<NodeInput, NodeOutput>({
      ...this.#parts,
      boot: (now) => {
        this.#core = boot(now, this.disk);
        return this.#core;
      },
      perform: (output) => this.#perform(output),
      afterStep: afterStep && (() => afterStep(this)),
    });
  }

  /** Its process is gone without a word. */
  kill(): void {
    this.#life?.kill();
    this.#parts.rtc.vanished(this.index);
  }

  /** Its process says Bye and is gone. */
  close(): void {
    this.#life?.close();
    this.#parts.rtc.vanished(this.index);
  }

  #perform(output: NodeOutput): void {
    const { queue, rtc, keepsOutputs, hashesPerMs } = this.#parts;
    if (keepsOutputs) this.outputs.push(output);
    const life = this.lives;
    const feed = (input: NodeInput) => {
      if (life === this.lives) this.feed(input);
    };
    switch (output.type) {
      case "mint": {
        const { nonce, tookMs } = mint(output, hashesPerMs);
        this.mintedMs += tookMs;
        queue.at(queue.nowMs + tookMs, () => feed({ type: "minted", job: output.job, nonce }));
        break;
      }
      case "store": {
        const { entry } = output;
        queue.at(queue.nowMs + DISK_MS, () => {
          // What was under way when the process ended is not written.
          if (life !== this.lives || !this.isUp) return;
          this.disk.write(entry);
          feed({ type: "stored", key: entry.key, ok: true });
        });
        break;
      }
      case "save-peers":
        this.disk.peers = output.peers;
        break;
      case "save-freshness-bound": {
        const now = this.#life?.now();
        if (now !== undefined) this.disk.freshness = { boundMs: output.boundMs, wallMs: now.wall };
        break;
      }
      case "handed-out":
        this.disk.handedOut(output.key);
        break;
      default:
        if (isRtcCommand(output)) rtc.perform(output, this.index, feed);
    }
    this.onOutput?.(output);
  }
}

function isRtcCommand(output: NodeOutput): output is RtcCommand {
  return output.type.startsWith("rtc-");
}
