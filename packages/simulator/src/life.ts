import type { Address } from "@starling/wire-protocol";
import type { EventQueue, EventTarget } from "./event-queue.ts";
import type { Network, Place } from "./network.ts";

export type Now = { readonly mono: number; readonly wall: number };

/** A machine's wall clock: how far it is off. It outlives the processes. */
export type Clock = { offsetMs: number };

/** RelayCore or NodeCore; one of its inputs is a datagram, one of its outputs a transmit. */
export type Core<Input, Output> = {
  handle(input: Input, now: Now): Output[];
  tick(now: Now): Output[];
  nextDeadline(): number | null;
  close(now: Now): Output[];
};

type Transmit = { readonly type: "transmit"; readonly to: Address; readonly datagram: Uint8Array };

/** Wall time at virtual zero. */
export const EPOCH_MS = 1_800_000_000_000;
/** A core that asks for its timer more often than this without time passing is stuck. */
const TICKS_AT_ONCE_MAX = 1000;

/** One life of a core on a machine, from its start to its end: what node-core's driver does, on virtual time. */
export class Life<Input, Output extends { readonly type: string }> implements EventTarget {
  readonly core: Core<Input, Output>;
  readonly #queue: EventQueue;
  readonly #network: Network;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #perform: (output: Output) => void;
  readonly #afterStep: (() => void) | undefined;
  readonly #bornMs: number;
  #armedForMs = Number.POSITIVE_INFINITY;
  #tickedMs = -1;
  #ticksAtOnce = 0;
  isAlive = true;

  constructor(options: {
    readonly queue: EventQueue;
    readonly network: Network;
    readonly place: Place;
    readonly clock: Clock;
    readonly boot: (now: Now) => Core<Input, Output>;
    /** Does what an output but a datagram says. */
    readonly perform: (output: Output) => void;
    /** Looks at the core after each step. */
    readonly afterStep?: (() => void) | undefined;
  }) {
    const { queue, network, place, clock, boot, perform, afterStep } = options;
    this.#queue = queue;
    this.#network = network;
    this.#place = place;
    this.#clock = clock;
    this.#perform = perform;
    this.#afterStep = afterStep;
    this.#bornMs = Math.floor(queue.nowMs);
    this.core = boot(this.now());
    place.receiver = this;
    this.#arm(queue.nowMs);
  }

  now(): Now {
    const { nowMs } = this.#queue;
    return { mono: nowMs - this.#bornMs, wall: EPOCH_MS + Math.floor(nowMs) + this.#clock.offsetMs };
  }

  feed(input: Input): void {
    if (this.isAlive) this.#do(this.core.handle(input, this.now()));
  }

  onDatagram(bytes: Uint8Array, from: Address): void {
    if (this.isAlive) this.#do(this.core.handle({ type: "datagram", from, bytes } as Input, this.now()));
  }

  onTimer(): void {
    const { nowMs } = this.#queue;
    // One that was armed for an earlier time has taken its place, or has been and gone.
    if (!this.isAlive || this.#armedForMs !== nowMs) return;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.#ticksAtOnce = this.#tickedMs === nowMs ? this.#ticksAtOnce + 1 : 0;
    this.#tickedMs = nowMs;
    if (this.#ticksAtOnce > TICKS_AT_ONCE_MAX) throw new Error(`a core asks for its timer at ${nowMs} ms for ever`);
    this.#do(this.core.tick(this.now()));
  }

  /** It is gone without a word. */
  kill(): void {
    this.isAlive = false;
    if (this.#place.receiver === this) this.#place.receiver = undefined;
  }

  /** It says Bye and is gone. */
  close(): void {
    if (!this.isAlive) return;
    const outputs = this.core.close(this.now());
    this.#carryOut(outputs);
    this.kill();
  }

  #do(outputs: readonly Output[]): void {
    this.#carryOut(outputs);
    this.#afterStep?.();
    const deadline = this.core.nextDeadline();
    if (deadline === null) return;
    // Whole milliseconds, as the timers of a machine; and never before the deadline as the core will compute it.
    const wholeMs = Math.ceil(this.#bornMs + deadline);
    const atMs = wholeMs - this.#bornMs < deadline ? wholeMs + 1 : wholeMs;
    this.#arm(Math.max(atMs, this.#queue.nowMs));
  }

  #carryOut(outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === "transmit") {
        const { to, datagram } = output as unknown as Transmit;
        this.#network.send(this.#place, to, datagram);
      } else {
        this.#perform(output);
      }
    }
  }

  /** An armed timer that is early enough stays. */
  #arm(atMs: number): void {
    if (atMs >= this.#armedForMs) return;
    this.#armedForMs = atMs;
    this.#queue.timer(atMs, this);
  }
}
