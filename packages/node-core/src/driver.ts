import type { Now } from "@starling/peer-manager";

export type { Now } from "@starling/peer-manager";

// The only loop: it holds one timer, hands inputs and the time to a core, and gives each output to `perform`, whose answers come
// back as inputs. This file is where virtual time ends.

/** The part of a core that the driver needs; RelayCore and NodeCore both have it. */
export type Core<Input, Output> = {
  /** What should happen, in order, now that this has come. Never throws for what a stranger sent. */
  handle(input: Input, now: Now): Output[];
  /** Several inputs of one moment, whose frames may share datagrams; without it each is handled alone. */
  handleAll?(inputs: readonly Input[], now: Now): Output[];
  /** What is due. Early, late and repeated calls do no harm. */
  tick(now: Now): Output[];
  /** The monotonic time, ms, at which `tick` has something to do; null: nothing is under way. */
  nextDeadline(): number | null;
  /** The last outputs; nothing is handled after it. */
  close(now: Now): Output[];
};

/** What a driver runs, and how outputs are carried out. `now` is `systemNow` unless given, for tests. */
export type DriverOptions<Input, Output> = {
  readonly core: Core<Input, Output>;
  /** Does what an output says; never throws. What it learns later it gives to `feed`. */
  readonly perform: (output: Output, feed: (input: Input) => void) => void;
  /** Default: `systemNow`. */
  readonly now?: () => Now;
};

/** A running core's ear: whatever comes from outside goes in here. */
export type Driver<Input> = {
  /** Hands an input to the core now. After `close` inputs are ignored. */
  feed(input: Input): void;
  /** The same of several, whose frames then share datagrams. */
  feedAll(inputs: readonly Input[]): void;
  /** Hands it over right behind this step of the event loop, together with the others of the step; it must stay as it is. */
  later(input: Input): void;
  /** Hands over what is left, stops the timer and lets the core say Bye. */
  close(): void;
};

/** Longest sleep of the timer; a deadline further away is looked at again then. */
const SLEEP_MAX_MS = 60_000;

/** Milliseconds since the process began, and since 1970. */
export function systemNow(): Now {
  return { mono: performance.now(), wall: Date.now() };
}

/**
 * Runs a core on real time: ticks it now and at each deadline, and performs every output in order, within the call that brought
 * the input. Throws what `perform` throws.
 */
export function startDriver<Input, Output>(options: DriverOptions<Input, Output>): Driver<Input> {
  const { core, perform, now = systemNow } = options;
  let timer: NodeJS.Timeout | undefined;
  let armedForMono = Number.POSITIVE_INFINITY;
  let closed = false;
  // BOUNDED: what a step of the event loop brings.
  let queue: Input[] = [];

  const run = (outputs: readonly Output[]): void => {
    for (const output of outputs) perform(output, feed);
    arm();
  };
  const feed = (input: Input): void => {
    if (closed) return;
    handleQueue();
    run(core.handle(input, now()));
  };
  const feedAll = (inputs: readonly Input[]): void => {
    if (closed) return;
    handleQueue();
    handleAll(inputs);
  };
  const later = (input: Input): void => {
    if (closed) return;
    if (queue.push(input) === 1) process.nextTick(handleQueue);
  };
  const handleQueue = (): void => {
    if (queue.length === 0) return;
    const inputs = queue;
    queue = [];
    handleAll(inputs);
  };
  const handleAll = (inputs: readonly Input[]): void =>
    run(core.handleAll?.(inputs, now()) ?? inputs.flatMap((input) => core.handle(input, now())));
  // An armed timer that is early enough stays: setting one for every datagram would cost more than an idle tick.
  const arm = (): void => {
    const deadline = core.nextDeadline();
    if (closed || deadline === null || (timer !== undefined && armedForMono <= deadline)) return;
    clearTimeout(timer);
    armedForMono = deadline;
    timer = setTimeout(onTimer, Math.min(Math.max(0, Math.ceil(deadline - now().mono)), SLEEP_MAX_MS));
  };
  const onTimer = (): void => {
    timer = undefined;
    armedForMono = Number.POSITIVE_INFINITY;
    run(core.tick(now()));
  };

  run(core.tick(now()));
  return {
    feed,
    feedAll,
    later,
    close: () => {
      if (closed) return;
      handleQueue();
      closed = true;
      clearTimeout(timer);
      for (const output of core.close(now())) perform(output, feed);
    },
  };
}
