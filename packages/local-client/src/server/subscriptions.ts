import { LocalClientError } from "../errors.ts";
import { type EventType, encodeEvent, type LocalEvent, type SubscribeRequest } from "../events.ts";

/** The subscriptions of one connection. */
export class Subscriptions {
  // BOUNDED: by the server's limit of subscriptions a connection.
  readonly #requests = new Map<string, SubscribeRequest>();
  readonly #max: number;
  #lastNumber = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Throws `E_QUOTA`. */
  add(request: SubscribeRequest): string {
    if (this.#requests.size >= this.#max) {
      const message = `a connection has at most ${this.#max} subscriptions; end one, or open another connection`;
      throw new LocalClientError("E_QUOTA", message);
    }
    this.#lastNumber += 1;
    const subscription = `s${this.#lastNumber}`;
    this.#requests.set(subscription, request);
    return subscription;
  }

  remove(subscription: string): boolean {
    return this.#requests.delete(subscription);
  }

  get isEmpty(): boolean {
    return this.#requests.size === 0;
  }

  has(type: EventType): boolean {
    return [...this.#requests.values()].some(({ events }) => events.includes(type));
  }

  /** Whether a subscription that wants it will acknowledge it. */
  acknowledges(event: LocalEvent): boolean {
    return [...this.#requests.values()].some((request) => request.acks && isWanted(request, event));
  }

  wants(event: LocalEvent): boolean {
    return [...this.#requests.values()].some((request) => isWanted(request, event));
  }

  /** The notifications of an event, one for each subscription that wants it. */
  notifications(event: LocalEvent): string[] {
    const wanting = [...this.#requests].filter(([, request]) => isWanted(request, event));
    if (wanting.length === 0) return [];
    const encoded = encodeEvent(event);
    return wanting.map(([subscription]) => notification({ subscription, ...encoded }));
  }

  /** Ends all of them without a word: the end of the connection says it. */
  clear(): void {
    this.#requests.clear();
  }

  /** Ends all of them; the notifications that say so. */
  drop(error: LocalClientError): string[] {
    const { code, message } = error;
    const dropped = [...this.#requests.keys()];
    this.clear();
    return dropped.map((subscription) => notification({ subscription, type: "dropped", code, message }));
  }
}

function isWanted({ events, topic }: SubscribeRequest, event: LocalEvent): boolean {
  return events.includes(event.type) && (!("topic" in event) || topic === undefined || topic === event.topic);
}

function notification(params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", method: "event", params });
}
