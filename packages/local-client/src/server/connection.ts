import type { JSONRPCResponse } from "json-rpc-2.0";
import { LocalClientError } from "../errors.ts";
import type { EventType, LocalEvent } from "../events.ts";
import { MESSAGE_MAX_BYTES, type ServerLimits } from "../limits.ts";
import { parseLine } from "../line-framing.ts";
import type { Carrier, OpenCarrier } from "./carrier.ts";
import { dispatch } from "./dispatch.ts";
import type { LocalHandlers } from "./handlers.ts";
import { failure, type Request, type RequestId, readCancel, readRequest, success } from "./request.ts";
import { Subscriptions } from "./subscriptions.ts";

export type ConnectionOptions = {
  readonly open: OpenCarrier;
  readonly handlers: LocalHandlers;
  readonly limits: ServerLimits;
  /** Its subscriptions changed, or it has room again for what was held back. */
  readonly onInterest: () => void;
  readonly onClose: () => void;
  /** A handler threw something that is no LocalClientError. */
  readonly onFault: (error: unknown) => void;
};

/** One local program: its requests, its subscriptions, and what it has not read yet. Its bytes are untrusted. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #carrier: Carrier;
  // BOUNDED: by limits.openRequests.
  readonly #open = new Set<{ readonly id: RequestId | undefined; readonly abort: AbortController }>();
  readonly #subscriptions: Subscriptions;

  constructor(options: ConnectionOptions) {
    const { open, limits, onInterest, onClose } = options;
    this.#options = options;
    this.#subscriptions = new Subscriptions(limits.subscriptions);
    this.#carrier = open({
      onMessage: (bytes) => this.#onMessage(bytes),
      onTooLong: () => this.#onTooLong(),
      onDrained: () => {
        this.#carrier.resume();
        onInterest();
      },
      onClosed: () => {
        const gone = new LocalClientError("E_CANCELLED", "the program is gone");
        for (const { abort } of this.#open) abort.abort(gone);
        onClose();
      },
    });
  }

  get isCongested(): boolean {
    return this.#carrier.unreadBytes > this.#options.limits.congestedBytes;
  }

  hasSubscription(type: EventType): boolean {
    return this.#subscriptions.has(type);
  }

  acknowledges(event: LocalEvent): boolean {
    return this.#subscriptions.acknowledges(event);
  }

  wants(event: LocalEvent): boolean {
    return this.#subscriptions.wants(event);
  }

  /** Sends an event to its subscriptions, or drops them all where too much is unread. */
  publish(event: LocalEvent): void {
    const { limits, onInterest } = this.#options;
    const lines = this.#subscriptions.notifications(event);
    if (lines.length === 0) return;
    const sizeBytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    if (this.#carrier.unreadBytes + sizeBytes <= limits.unreadMaxBytes) {
      for (const line of lines) this.#write(line);
      return;
    }
    const message = `more than ${limits.unreadMaxBytes} bytes of events were not read; read faster, then subscribe again`;
    for (const line of this.#subscriptions.drop(new LocalClientError("E_SLOW_SUBSCRIBER", message))) this.#write(line);
    onInterest();
  }

  /** Lets what is written go out, then ends. */
  end(): void {
    this.#carrier.end();
  }

  destroy(): void {
    this.#carrier.destroy();
  }

  #onTooLong(): void {
    const message = `a message has at most ${MESSAGE_MAX_BYTES} bytes with its newline; the connection is closed`;
    this.#answer(failure(null, new LocalClientError("E_TOO_LARGE", message)));
    this.#carrier.end();
  }

  #onMessage(bytes: Uint8Array): void {
    const parsed = parseLine(bytes);
    if (!parsed.ok) {
      this.#answer(failure(null, new LocalClientError(parsed.code, parsed.message)));
      return;
    }
    const handling = Array.isArray(parsed.value) ? this.#batch(parsed.value) : this.#single(parsed.value);
    handling.catch(this.#options.onFault);
  }

  async #single(value: unknown): Promise<void> {
    const response = await this.#handle(value);
    if (response !== undefined) this.#answer(response);
  }

  async #batch(values: readonly unknown[]): Promise<void> {
    const { batch } = this.#options.limits;
    if (values.length === 0 || values.length > batch) {
      this.#answer(failure(null, new LocalClientError("E_BAD_REQUEST", `a batch has 1 to ${batch} requests`)));
      return;
    }
    const responses = await Promise.all(values.map((value) => this.#handle(value)));
    const answers = responses.filter((response) => response !== undefined);
    if (answers.length > 0) this.#answer(answers);
  }

  /** The answer to one request; none to a notification. */
  async #handle(value: unknown): Promise<JSONRPCResponse | undefined> {
    const request = readRequest(value);
    if (request === undefined) {
      const message = "this is no request of JSON-RPC 2.0";
      return failure(null, new LocalClientError("E_BAD_REQUEST", message));
    }
    const cancelled = readCancel(request);
    if (cancelled !== undefined) {
      const reason = new LocalClientError("E_CANCELLED", "the program cancelled the request");
      for (const { id, abort } of this.#open) if (id === cancelled) abort.abort(reason);
      return request.id === undefined ? undefined : success(request.id, {});
    }
    try {
      const result = await this.#run(request);
      return request.id === undefined ? undefined : success(request.id, result);
    } catch (error) {
      if (request.id === undefined) return undefined;
      return failure(request.id, this.#asLocal(error));
    }
  }

  async #run({ id, method, params }: Request): Promise<unknown> {
    const { handlers, limits, onInterest } = this.#options;
    if (this.#open.size >= limits.openRequests) {
      const message = `${limits.openRequests} requests are open on this connection; wait for answers`;
      throw new LocalClientError("E_QUOTA", message);
    }
    const open = { id, abort: new AbortController() };
    this.#open.add(open);
    const owner = {
      subscribe: (request: Parameters<Subscriptions["add"]>[0]) => {
        const subscription = this.#subscriptions.add(request);
        // Behind the answer to it, or the program could not tell whose the events are.
        setImmediate(onInterest);
        return subscription;
      },
      unsubscribe: (subscription: string) => {
        const known = this.#subscriptions.remove(subscription);
        if (known) onInterest();
        return known;
      },
    };
    try {
      return await dispatch(method, params, handlers, owner, open.abort.signal);
    } finally {
      this.#open.delete(open);
    }
  }

  #asLocal(error: unknown): LocalClientError {
    if (error instanceof LocalClientError) return error;
    this.#options.onFault(error);
    return new LocalClientError("E_INTERNAL", "the daemon failed at this request; its log says more");
  }

  #answer(response: JSONRPCResponse | readonly JSONRPCResponse[]): void {
    const line = JSON.stringify(response);
    if (Buffer.byteLength(line) < MESSAGE_MAX_BYTES) {
      this.#write(line);
    } else {
      const message = "the answer would be over the limit of a message; ask in smaller batches";
      this.#write(JSON.stringify(failure(null, new LocalClientError("E_TOO_LARGE", message))));
    }
  }

  // A program that sends and does not read is not read from either, so that its answers stay bounded.
  #write(line: string): void {
    this.#carrier.send(line);
    if (this.isCongested) this.#carrier.pause();
  }
}
