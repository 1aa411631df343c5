import * as z from "zod/mini";
import type { Answer, LinkInfo, NodeInfo, NodeStatus, OpenMessage, PeerInfo, Receipt, TraceStep } from "./answers.ts";
import {
  answerResult,
  broadcastResult,
  connectResult,
  infoResult,
  linksResult,
  openMessagesResult,
  peersResult,
  receiptResult,
  statusResult,
  traceResult,
} from "./answers.ts";
import { encodeBase64 } from "./base64.ts";
import { Calls } from "./calls.ts";
import { TOO_LARGE } from "./content.ts";
import { LocalClientError, type LocalErrorCode } from "./errors.ts";
import { EventQueue, type EventStream } from "./event-queue.ts";
import type { EventType, LocalEvent } from "./events.ts";
import { readEvent, subscribeResult } from "./events.ts";
import { CLIENT_QUEUE_MAX_BYTES, CLIENT_QUEUE_MAX_EVENTS, CONTENT_MAX_BYTES } from "./limits.ts";
import { parseLine } from "./line-framing.ts";
import { abortable, Redial } from "./reconnect.ts";
import type { Via } from "./requests.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** A message, for whom, and how it may travel. */
export type SubmitOptions = {
  /** A node id, 64 hex digits. */
  readonly to: string;
  /** At most 60,000 bytes. */
  readonly content: Uint8Array;
  readonly topic?: string | undefined;
  readonly via?: Via | undefined;
  /** How long it is tried, up to 600,000; 10,000 unless told. */
  readonly timeoutMs?: number | undefined;
  /**
   * 32 hex digits, for a program that tries again what it knows no outcome of: to the recipient it is the same message, which it
   * hands out once, within 11 minutes. By chance unless given.
   */
  readonly messageId?: string | undefined;
  /** Ends the trying. A message that was on its way may arrive all the same. */
  readonly signal?: AbortSignal | undefined;
};

/** A request, which is answered once; see SubmitOptions. */
export type RequestOptions = Omit<SubmitOptions, "via" | "messageId">;

/** Which events a program wants. */
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
  /** Id, version, network, addresses. Rejects with a LocalClientError, as all calls do. */
  info(): Promise<NodeInfo>;
  /** How the node is: links, inbox, prices, counters. */
  status(): Promise<NodeStatus>;
  /** The neighbours, in no order. */
  peers(): Promise<PeerInfo[]>;
  /** Every session and every channel. */
  links(): Promise<LinkInfo[]>;
  /** Messages of this node that are under way, oldest first: how far each is. */
  openMessages(): Promise<OpenMessage[]>;
  /** Resolves when the recipient's daemon has written the message; see the README for the codes of its errors. */
  submit(options: SubmitOptions): Promise<Receipt>;
  /** Resolves with the reply of a program at the recipient's. */
  request(options: RequestOptions): Promise<Answer>;
  /** Answers a request event; resolves when the asker's daemon has the reply. */
  reply(requestId: string, content: Uint8Array): Promise<void>;
  /** Tells every node, at most 16,384 bytes; resolves when it is out. */
  broadcast(content: Uint8Array, topic?: string): Promise<{ readonly messageId: string }>;
  /** Resolves with a receipt of the peer's node itself: its way, and the time it took. No program there hears of it. */
  ping(options: Omit<SubmitOptions, "content" | "topic" | "messageId">): Promise<Receipt>;
  /** The message was dealt with; for subscriptions with `acks`. */
  ack(messageId: string, from: string): Promise<void>;
  /** Which way a message would take, question by question; the first that is answered with none is where it ends. */
  trace(to: string): Promise<readonly TraceStep[]>;
  /**
   * Opens a channel to a peer, or a session over UDP where its address is given. Messages go over a channel by themselves once there
   * are some; this is for who wants it now.
   */
  connectPeer(id: string, address?: string): Promise<{ readonly link: PeerInfo["link"] }>;
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

/** Connects once, and tells of it by `events`; throws nothing, for what fails is an `onClose`. */
export type OpenTransport = (events: TransportEvents) => Transport;

type Subscribed = { id: string; readonly queue: EventQueue<LocalEvent>; readonly options: SubscribeOptions };

/**
 * A client over any transport; `connect` is the one that most programs want. With `dial` a connection that is lost is made again:
 * what was open then fails with `E_DISCONNECTED`, for its outcome is unknown, or with what the daemon itself said before it ended the
 * connection; what is called meanwhile waits; subscriptions go on.
 */
export function createClient(open: OpenTransport, dial?: () => Promise<OpenTransport>): LocalClient {
  // BOUNDED: both by the program's own subscriptions; the map holds those that the daemon has taken on.
  const wanted = new Set<Subscribed>();
  const subscriptions = new Map<string, Subscribed>();
  const closed = new AbortController();
  const redial = new Redial();
  let reconnected: Promise<void> | undefined;
  /** What the daemon said of the connection itself before it ended it. */
  let refused: LocalClientError | undefined;

  const onLine = (line: Uint8Array): void => {
    const parsed = parseLine(line);
    if (!parsed.ok) return;
    const { value } = parsed;
    const isEvent = typeof value === "object" && value !== null && "method" in value && value.method === "event";
    const refusal = isEvent ? undefined : calls.receive(value);
    if (refusal === undefined) redial.reset();
    else refused = refusal;
    if (isEvent) onEvent("params" in value ? value.params : undefined, line.length);
  };

  const onEvent = (params: unknown, sizeBytes: number): void => {
    const read = readEvent(params);
    if (read === undefined) return;
    const { subscription, ...event } = read;
    const subscribed = subscriptions.get(subscription);
    if (subscribed === undefined) return;
    const { queue } = subscribed;
    if (event.type === "dropped") {
      end(subscribed, new LocalClientError(event.code as LocalErrorCode, event.message));
    } else if (!queue.push(event, sizeBytes)) {
      const message = "events came faster than the program took them; take them faster, then subscribe again";
      queue.end(new LocalClientError("E_SLOW_SUBSCRIBER", message));
      void unsubscribe(subscribed);
    }
  };

  const end = (subscribed: Subscribed, error?: LocalClientError): void => {
    subscribed.queue.end(error);
    subscriptions.delete(subscribed.id);
    wanted.delete(subscribed);
  };

  const onClose = (why: string): void => {
    const error = refused ?? new LocalClientError("E_DISCONNECTED", why);
    refused = undefined;
    calls.close(error);
    subscriptions.clear();
    if (dial === undefined || closed.signal.aborted) endAll(closed.signal.aborted ? undefined : error);
    else reconnected = reconnect(dial);
  };

  const endAll = (error?: LocalClientError): void => {
    for (const subscribed of [...wanted]) end(subscribed, error);
  };

  const reconnect = async (again: () => Promise<OpenTransport>): Promise<void> => {
    const opened = await redial.run(again, closed.signal);
    reconnected = undefined;
    if (opened === undefined) return endAll();
    attach(opened);
    if (closed.signal.aborted) return transport.close();
    const own = calls;
    for (const subscribed of wanted) {
      begin(subscribed).catch((error: LocalClientError) => {
        // Where the connection is lost once more, for whatever reason, the next one begins it.
        if (!own.isClosed) end(subscribed, error);
      });
    }
  };

  const begin = (subscribed: Subscribed): Promise<unknown> =>
    calls.call("subscribe", subscribed.options, {
      result: subscribeResult,
      // Waiting messages may stand on the very next line.
      onResult: ({ subscription }) => {
        subscribed.id = subscription;
        subscriptions.set(subscription, subscribed);
        if (!wanted.has(subscribed)) void unsubscribe(subscribed);
      },
    });

  const unsubscribe = async (subscribed: Subscribed): Promise<void> => {
    const isKnown = subscriptions.has(subscribed.id);
    end(subscribed);
    if (!isKnown) return;
    try {
      await calls.call("unsubscribe", { subscription: subscribed.id }, { result: z.unknown() });
    } catch {
      // It has ended here; where the daemon does not know it any more it has ended there too.
    }
  };

  const call: Calls["call"] = async (method, params, options) => {
    while (reconnected !== undefined) await abortable(reconnected, options.signal);
    return calls.call(method, params, options);
  };

  let transport: Transport;
  let calls: Calls;
  const attach = (opened: OpenTransport): void => {
    transport = opened({ onLine, onClose });
    calls = new Calls(transport);
  };
  attach(open);

  return {
    info: () => call("node.info", undefined, { result: infoResult }),
    status: () => call("node.status", undefined, { result: statusResult }),
    peers: () => call("peers.list", undefined, { result: peersResult }),
    links: () => call("links.list", undefined, { result: linksResult }),
    openMessages: () => call("message.list", undefined, { result: openMessagesResult }),
    async submit({ signal, content, ...rest }) {
      if (content.length > CONTENT_MAX_BYTES) throw new LocalClientError("E_TOO_LARGE", TOO_LARGE);
      const params = { ...rest, content: encodeBase64(content) };
      return call("message.submit", params, { result: receiptResult, signal });
    },
    async request({ signal, content, ...rest }) {
      if (content.length > CONTENT_MAX_BYTES) throw new LocalClientError("E_TOO_LARGE", TOO_LARGE);
      const params = { ...rest, content: encodeBase64(content) };
      return call("message.request", params, { result: answerResult, signal });
    },
    async reply(requestId, content) {
      if (content.length > CONTENT_MAX_BYTES) throw new LocalClientError("E_TOO_LARGE", TOO_LARGE);
      await call("message.reply", { requestId, content: encodeBase64(content) }, { result: z.unknown() });
    },
    broadcast: (content, topic) =>
      call("message.broadcast", { content: encodeBase64(content), topic }, { result: broadcastResult }),
    ping: ({ signal, ...params }) => call("peers.ping", params, { result: receiptResult, signal }),
    async ack(messageId, from) {
      await call("message.ack", { messageId, from }, { result: z.unknown() });
    },
    async trace(to) {
      return (await call("trace", { to }, { result: traceResult })).steps;
    },
    connectPeer: (id, address) => call("peers.connect", { id, address }, { result: connectResult }),
    async disconnectPeer(id, options) {
      await call("peers.disconnect", { id, ...options }, { result: z.unknown() });
    },
    async subscribe<Type extends EventType>(options: SubscribeOptions<Type>) {
      type Event = Extract<LocalEvent, { type: Type }>;
      const queue = new EventQueue<LocalEvent>(CLIENT_QUEUE_MAX_EVENTS, CLIENT_QUEUE_MAX_BYTES);
      const subscribed: Subscribed = { id: "", queue, options };
      while (reconnected !== undefined) await reconnected;
      wanted.add(subscribed);
      try {
        await begin(subscribed);
      } catch (error) {
        end(subscribed);
        throw error;
      }
      const stream: Subscription<Event> = {
        // The daemon sends what was subscribed to, and the queue holds nothing else.
        next: () => queue.next() as Promise<IteratorResult<Event, undefined>>,
        async return() {
          await unsubscribe(subscribed);
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => stream,
        unsubscribe: () => unsubscribe(subscribed),
      };
      return stream;
    },
    close() {
      closed.abort();
      transport.close();
    },
  };
}
