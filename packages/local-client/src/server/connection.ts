import type { JSONRPCResponse } from "json-rpc-2.0";
import { LocalClientError } from "../errors.ts";
import type { EventType, LocalEvent } from "../events.ts";
import { MESSAGE_MAX_BYTES, type ServerLimits } from "../limits.ts";
import { parseLine } from "../line-framing.ts";
import type { Carrier, OpenCarrier } from "./carrier.ts";
import { dispatch, type SubscriptionOwner } from "./dispatch.ts";
import type { LocalHandlers } from "./handlers.ts";
import { failure, type Request, type RequestId, readCancel, readRequest, success } from "./request.ts";
import { Subscriptions } from "./subscriptions.ts";

export type ConnectionOptions = {
  readonly open: OpenCarrier;
  readonly handlers: LocalHandlers;
  readonly limits: ServerLimits;
  /** Requests that are open on all connections. */
  readonly shared: { openCount: number };
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
  readonly #owner: SubscriptionOwner;
  #usedMono = performance.now();
  #isEnded = false;

  constructor(options: ConnectionOptions) {
    const { open, limits, onInterest, onClose } = options;
    this.#options = options;
    this.#subscriptions = new Subscriptions(limits.subscriptions);
    this.#owner = {
      subscribe: (request) => {
        const subscription = this.#subscriptions.add(request);
        // Behind the answer to it, or the program could not tell whose the events are.
        setImmediate(onInterest);
        return subscription;
      },
      unsubscribe: (subscription) => {
        const known = this.#subscriptions.remove(subscription);
        if (known) onInterest();
        return known;
      },
    };
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

  /** For how long nothing has been asked, open or subscribed to; 0 where something is. */
  idleMs(nowMono: number): number {
    return this.#open.size > 0 || !this.#subscriptions.isEmpty ? 0 : nowMono - this.#usedMono;
  }

  /** Tells the program why, then ends. */
  refuse(reason: LocalClientError): void {
    this.#answer(failure(null, reason));
    this.end();
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

  /**
   * Lets what is written go out, then ends. Nothing that the program sends is looked at any more, and no event is wanted: it would be
   * written into an end, and count as handed out.
   */
  end(): void {
    this.#isEnded = true;
    this.#subscriptions.clear();
    this.#carrier.end();
  }

  destroy(): void {
    this.#carrier.destroy();
  }

  #onTooLong(): void {
    const message = `a message has at most ${MESSAGE_MAX_BYTES} bytes with its newline; the connection is closed`;
    this.refuse(new LocalClientError("E_TOO_LARGE", message));
  }

  #onMessage(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    this.#usedMono = performance.now();
    const parsed = parseLine(bytes);
    if (!parsed.ok) {
      this.#answer(failure(null, new LocalClientError(parsed.code, parsed.message)));
    } else if (Array.isArray(parsed.value)) {
      this.#batch(parsed.value);
    } else {
      this.#handle(parsed.value, (response) => {
        if (response !== undefined) this.#answer(response);
      });
    }
  }

  #batch(values: readonly unknown[]): void {
    const { batch } = this.#options.limits;
    if (values.length === 0 || values.length > batch) {
      this.#answer(failure(null, new LocalClientError("E_BAD_REQUEST", `a batch has 1 to ${batch} requests`)));
      return;
    }
    // BOUNDED: by limits.batch.
    const responses: (JSONRPCResponse | undefined)[] = [];
    let openCount = values.length;
    for (const [at, value] of values.entries()) {
      this.#handle(value, (response) => {
        responses[at] = response;
        openCount -= 1;
        if (openCount > 0) return;
        const answers = responses.filter((each) => each !== undefined);
        if (answers.length > 0) this.#answer(answers);
      });
    }
  }

  /** Calls `respond` once, with the answer to one request, or with none to a notification. */
  #handle(value: unknown, respond: (response: JSONRPCResponse | undefined) => void): void {
    const request = readRequest(value);
    if (request === undefined) {
      respond(failure(null, new LocalClientError("E_BAD_REQUEST", "this is no request of JSON-RPC 2.0")));
      return;
    }
    const { id } = request;
    const cancelled = readCancel(request);
    if (cancelled !== undefined) {
      const reason = new LocalClientError("E_CANCELLED", "the program cancelled the request");
      for (const open of this.#open) if (open.id === cancelled) open.abort.abort(reason);
      respond(id === undefined ? undefined : success(id, {}));
      return;
    }
    this.#run(request, respond).catch(this.#options.onFault);
  }

  async #run({ id, method, params }: Request, respond: (response: JSONRPCResponse | undefined) => void): Promise<void> {
    const { handlers, shared } = this.#options;
    const open = { id, abort: new AbortController() };
    let response: JSONRPCResponse | undefined;
    shared.openCount += 1;
    try {
      this.#checkQuota();
      this.#open.add(open);
      const result = await dispatch(method, params, handlers, this.#owner, open.abort.signal);
      if (id !== undefined) response = success(id, result);
    } catch (error) {
      const failed = this.#asLocal(error);
      if (id !== undefined) response = failure(id, failed);
    }
    this.#open.delete(open);
    shared.openCount -= 1;
    respond(response);
  }

  /** Throws where one request more would be too many; it is counted as open already. */
  #checkQuota(): void {
    const { shared, limits } = this.#options;
    const openCount = this.#open.size;
    if (openCount >= limits.openRequests) {
      const message = `${limits.openRequests} requests are open on this connection; wait for answers`;
      throw new LocalClientError("E_QUOTA", message);
    }
    if (openCount > 0 && openCount > limits.sharedRequests - shared.openCount) {
      const message = `${shared.openCount - 1} requests of this node's programs are open, ${openCount} of them on this connection; wait for answers`;
      throw new LocalClientError("E_QUOTA", message);
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
