import * as z from "zod/mini";
import { encodeBase64 } from "./base64.ts";
import { Calls } from "./calls.ts";
import { LocalClientError, type LocalErrorCode } from "./errors.ts";
import { EventQueue, type EventStream } from "./event-queue.ts";
import type { EventType, LocalEvent } from "./events.ts";
import { eventParams, subscribeResult } from "./events.ts";
import { CLIENT_QUEUE_MAX_BYTES, CLIENT_QUEUE_MAX_EVENTS, CONTENT_MAX_BYTES } from "./limits.ts";
import { parseLine } from "./line-framing.ts";
import type { Answer, NodeInfo, NodeStatus, PeerInfo, Receipt, TraceStep, Via } from "./protocol.ts";
import {
  answerResult,
  broadcastResult,
  connectResult,
  infoResult,
  peersResult,
  receiptResult,
  statusResult,
  TOO_LARGE,
  traceResult,
} from "./protocol.ts";
import type { Transport, TransportEvents } from "./transport.ts";

export type SubmitOptions = {
  /** A node id, 64 hex digits. */
  readonly to: string;
  /** At most 60,000 bytes. */
  readonly content: Uint8Array;
  readonly topic?: string | undefined;
  readonly via?: Via | undefined;
  /** How long it is tried, up to 600,000; 10,000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** Ends the trying. A message that was on its way may arrive all the same. */
  readonly signal?: AbortSignal | undefined;
};

export type RequestOptions = Omit<SubmitOptions, "via">;

export type SubscribeOptions<Type extends EventType = EventType> = {
  readonly events: readonly Type[];
  /** Only messages, requests and broadcasts of this topic. */
  readonly topic?: string | undefined;
  /** Each message is done with only at `ack`; one that is not comes again to the next who subscribes. */
  readonly acks?: boolean | undefined;
};

/** Iterate it with `for await`, once; leaving the loop ends it. */
export type Subscription<Event extends LocalEvent = LocalEvent> = EventStream<Event> & {
  /** Ends the iteration after what has arrived already. */
  unsubscribe(): Promise<void>;
};

/** Every method rejects with a `LocalClientError`, `E_DISCONNECTED` once the connection is gone. */
export type LocalClient = {
  info(): Promise<NodeInfo>;
  status(): Promise<NodeStatus>;
  peers(): Promise<PeerInfo[]>;
  /** Resolves when the recipient's daemon has written the message; see the README for the codes of its errors. */
  submit(options: SubmitOptions): Promise<Receipt>;
  /** Resolves with the reply of a program at the recipient's. */
  request(options: RequestOptions): Promise<Answer>;
  /** Answers a request event; resolves when the asker's daemon has the reply. */
  reply(requestId: string, content: Uint8Array): Promise<void>;
  /** Tells every node, at most 16,384 bytes; resolves when it is out. */
  broadcast(content: Uint8Array, topic?: string): Promise<{ readonly messageId: string }>;
  /** Resolves with a receipt of the peer's node itself: its way, and the time it took. No program there hears of it. */
  ping(options: Omit<SubmitOptions, "content" | "topic">): Promise<Receipt>;
  /** The message was dealt with; for subscriptions with `acks`. */
  ack(messageId: string, from: string): Promise<void>;
  /** Which way a message would take, question by question; the first that is answered with none is where it ends. */
  trace(to: string): Promise<readonly TraceStep[]>;
  /** Opens a channel to a peer. Messages go over one by themselves once there are some; this is for who wants it now. */
  connectPeer(id: string): Promise<{ readonly link: PeerInfo["link"] }>;
  /** Closes the channel to a peer; with `silently` it dies as in a network failure, for drills. */
  disconnectPeer(id: string, options?: { readonly silently?: boolean }): Promise<void>;
  /**
   * Events from now on, and the messages that waited. It throws `E_SLOW_SUBSCRIBER` where the daemon, or this client's queue
   * of 64 MiB, gave it up, and `E_DISCONNECTED` where the connection went.
   */
  subscribe<Type extends EventType>(
    options: SubscribeOptions<Type>,
  ): Promise<Subscription<Extract<LocalEvent, { type: Type }>>>;
  /** Ends the connection; what is open fails with `E_DISCONNECTED`, subscriptions just end. */
  close(): void;
};

const notification = z.object({ method: z.literal("event"), params: z.unknown() });

/** A client over any transport; `connect` is the one that most programs want. */
export function createClient(open: (events: TransportEvents) => Transport): LocalClient {
  // BOUNDED: by the program's own subscriptions.
  const queues = new Map<string, EventQueue<LocalEvent>>();
  let closing = false;

  const onLine = (line: Uint8Array): void => {
    const parsed = parseLine(line);
    if (!parsed.ok) return;
    const event = notification.safeParse(parsed.value);
    if (event.success) onEvent(event.data.params, line.length);
    else calls.receive(parsed.value);
  };

  const onEvent = (params: unknown, sizeBytes: number): void => {
    const read = eventParams.safeParse(params);
    if (!read.success) return;
    const { subscription, ...event } = read.data;
    const queue = queues.get(subscription);
    if (queue === undefined) return;
    if (event.type === "dropped") {
      queues.delete(subscription);
      queue.end(new LocalClientError(event.code as LocalErrorCode, event.message));
    } else if (!queue.push(event, sizeBytes)) {
      const message = "events came faster than the program took them; take them faster, then subscribe again";
      queue.end(new LocalClientError("E_SLOW_SUBSCRIBER", message));
      void unsubscribe(subscription);
    }
  };

  const onClose = (why: string): void => {
    const error = new LocalClientError("E_DISCONNECTED", why);
    calls.close(error);
    for (const queue of queues.values()) queue.end(closing ? undefined : error);
    queues.clear();
  };

  const unsubscribe = async (subscription: string): Promise<void> => {
    const queue = queues.get(subscription);
    if (!queues.delete(subscription)) return;
    queue?.end();
    try {
      await calls.call("unsubscribe", { subscription }, { result: z.unknown() });
    } catch {
      // It has ended here; where the daemon does not know it any more it has ended there too.
    }
  };

  const transport = open({ onLine, onClose });
  const calls = new Calls(transport);

  return {
    info: () => calls.call("node.info", undefined, { result: infoResult }),
    status: () => calls.call("node.status", undefined, { result: statusResult }),
    peers: () => calls.call("peers.list", undefined, { result: peersResult }),
    async submit({ signal, content, ...rest }) {
      if (content.length > CONTENT_MAX_BYTES) throw new LocalClientError("E_TOO_LARGE", TOO_LARGE);
      const params = { ...rest, content: encodeBase64(content) };
      return calls.call("message.submit", params, { result: receiptResult, signal });
    },
    async request({ signal, content, ...rest }) {
      if (content.length > CONTENT_MAX_BYTES) throw new LocalClientError("E_TOO_LARGE", TOO_LARGE);
      const params = { ...rest, content: encodeBase64(content) };
      return calls.call("message.request", params, { result: answerResult, signal });
    },
    async reply(requestId, content) {
      if (content.length > CONTENT_MAX_BYTES) throw new LocalClientError("E_TOO_LARGE", TOO_LARGE);
      await calls.call("message.reply", { requestId, content: encodeBase64(content) }, { result: z.unknown() });
    },
    broadcast: (content, topic) =>
      calls.call("message.broadcast", { content: encodeBase64(content), topic }, { result: broadcastResult }),
    ping: ({ signal, ...params }) => calls.call("peers.ping", params, { result: receiptResult, signal }),
    async ack(messageId, from) {
      await calls.call("message.ack", { messageId, from }, { result: z.unknown() });
    },
    async trace(to) {
      return (await calls.call("trace", { to }, { result: traceResult })).steps;
    },
    connectPeer: (id) => calls.call("peers.connect", { id }, { result: connectResult }),
    async disconnectPeer(id, options) {
      await calls.call("peers.disconnect", { id, ...options }, { result: z.unknown() });
    },
    async subscribe<Type extends EventType>(options: SubscribeOptions<Type>) {
      type Event = Extract<LocalEvent, { type: Type }>;
      const queue = new EventQueue<LocalEvent>(CLIENT_QUEUE_MAX_EVENTS, CLIENT_QUEUE_MAX_BYTES);
      const { subscription } = await calls.call("subscribe", options, {
        result: subscribeResult,
        // Waiting messages may stand on the very next line.
        onResult: (result) => queues.set(result.subscription, queue),
      });
      const stream: Subscription<Event> = {
        // The daemon sends what was subscribed to, and the queue holds nothing else.
        next: () => queue.next() as Promise<IteratorResult<Event, undefined>>,
        async return() {
          await unsubscribe(subscription);
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => stream,
        unsubscribe: () => unsubscribe(subscription),
      };
      return stream;
    },
    close() {
      closing = true;
      transport.close();
    },
  };
}
