// What an application sends to another: numbered messages at a rate, and what came of each at the other end.
import { LocalClientError } from "@starling/local-client";
import { pass, until } from "./deadline.ts";
import type { Node } from "./nodes.ts";

const SUBMIT_MS = 60_000;
const ARRIVE_MS = 20_000;
/** The local protocol has 256 open requests a connection. */
const OPEN_MAX = 200;
let streams = 0;

export type StreamOptions = {
  readonly perSecond: number;
  /** Until it is stopped, unless told. */
  readonly count?: number;
  readonly via?: "any" | "channel" | "relay";
  readonly timeoutMs?: number;
};

export type StreamReport = {
  readonly sent: number;
  readonly lost: number;
  readonly repeated: number;
  /** Messages that came after a later one. */
  readonly overtaken: number;
  /** Submits without a receipt, by their error's code. */
  readonly errors: readonly string[];
  readonly firstMs: number;
  /** The longest time between two arrivals. */
  readonly longestGapMs: number;
  /** How many receipts name each way, in the order of the first of each. */
  readonly paths: Readonly<Record<string, number>>;
};

export class Stream {
  readonly #from: Node;
  readonly #to: Node;
  readonly #options: StreamOptions;
  readonly #topic: string;
  readonly #sentMs: number[] = [];
  readonly #arrivals: { readonly seq: number; readonly atMs: number }[] = [];
  readonly #open: Set<Promise<void>> = new Set();
  readonly #errors: string[] = [];
  readonly #paths: Record<string, number> = {};
  #isStopped = false;
  #sending: Promise<void> = Promise.resolve();

  private constructor(from: Node, to: Node, options: StreamOptions) {
    streams += 1;
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#topic = `stream-${streams}`;
  }

  /** Sends from now on. */
  static async start(from: Node, to: Node, options: StreamOptions): Promise<Stream> {
    const stream = new Stream(from, to, options);
    const events = await to.client.subscribe({ events: ["message"], topic: stream.#topic });
    void (async () => {
      for await (const { content } of events) stream.#arrived(content);
    })().catch(() => undefined);
    stream.#sending = stream.#send();
    return stream;
  }

  /** Resolves when so many have arrived. */
  async arrived(count: number, timeoutMs: number): Promise<void> {
    const what = `${this.#from.host.name} to ${this.#to.host.name}: ${count} messages`;
    await until(
      timeoutMs,
      what,
      () => Promise.resolve(this.#arrivals.length),
      (length) => length >= count,
    );
  }

  get count(): number {
    return this.#arrivals.length;
  }

  /** Sends no more, and waits for every receipt and every arrival that is owed. */
  async stop(): Promise<StreamReport> {
    this.#isStopped = true;
    await this.finished();
    return this.report();
  }

  /** Resolves when all of `count` are sent and answered. */
  async finished(): Promise<void> {
    await this.#sending;
    await Promise.all(this.#open);
    const owed = this.#sentMs.length - this.#errors.length;
    const endMs = performance.now() + ARRIVE_MS;
    while (this.#unique() < owed && performance.now() < endMs) await pass(20);
  }

  report(): StreamReport {
    const gaps = this.#arrivals.slice(1).map(({ atMs }, i) => atMs - (this.#arrivals[i]?.atMs ?? atMs));
    let highest = -1;
    let overtaken = 0;
    for (const { seq } of this.#arrivals) {
      if (seq < highest) overtaken += 1;
      highest = Math.max(highest, seq);
    }
    const first = this.#arrivals.find(({ seq }) => seq === 0);
    return {
      sent: this.#sentMs.length,
      lost: this.#sentMs.length - this.#unique(),
      repeated: this.#arrivals.length - this.#unique(),
      overtaken,
      errors: this.#errors,
      firstMs: (first?.atMs ?? Number.NaN) - (this.#sentMs[0] ?? 0),
      longestGapMs: Math.max(0, ...gaps),
      paths: this.#paths,
    };
  }

  async #send(): Promise<void> {
    const { perSecond, count = Number.POSITIVE_INFINITY } = this.#options;
    const startedMs = performance.now();
    while (!this.#isStopped && this.#sentMs.length < count) {
      this.#submit(this.#sentMs.length);
      await pass(Math.max(0, startedMs + (this.#sentMs.length * 1_000) / perSecond - performance.now()));
      while (this.#open.size >= OPEN_MAX) await Promise.race(this.#open);
    }
  }

  #submit(seq: number): void {
    this.#sentMs.push(performance.now());
    const { via = "any", timeoutMs = SUBMIT_MS } = this.#options;
    const content = new TextEncoder().encode(String(seq).padEnd(100, "."));
    const submitted = this.#from.client
      .submit({ to: this.#to.id, content, topic: this.#topic, via, timeoutMs })
      .then(
        ({ path }) => {
          this.#paths[path] = (this.#paths[path] ?? 0) + 1;
        },
        (error: unknown) => {
          this.#errors.push(error instanceof LocalClientError ? error.code : String(error));
        },
      )
      .finally(() => this.#open.delete(submitted));
    this.#open.add(submitted);
  }

  #arrived(content: Uint8Array): void {
    this.#arrivals.push({ seq: Number.parseInt(new TextDecoder().decode(content), 10), atMs: performance.now() });
  }

  #unique(): number {
    return new Set(this.#arrivals.map(({ seq }) => seq)).size;
  }
}

/** `61 sent: 4 relayed, 57 channel`, and whatever is wrong with it. */
export function streamLine({ sent, lost, repeated, overtaken, errors, paths }: StreamReport): string {
  const ways = Object.entries(paths).map(([path, count]) => `${count} ${path}`);
  const wrong = [
    ...(lost > 0 ? [`${lost} lost`] : []),
    ...(repeated > 0 ? [`${repeated} twice`] : []),
    ...(overtaken > 0 ? [`${overtaken} out of order`] : []),
    ...(errors.length > 0 ? [`${errors.length} failed: ${[...new Set(errors)].join(", ")}`] : []),
  ];
  return [`${sent} sent: ${ways.join(", ")}`, ...wrong].join("; ");
}

export function isFlawless({ lost, repeated, overtaken, errors }: StreamReport): boolean {
  return lost === 0 && repeated === 0 && overtaken === 0 && errors.length === 0;
}
