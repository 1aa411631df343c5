import * as z from "zod";
import { base64SizeBytes, decodeBase64, encodeBase64 } from "./base64.ts";
import { CONTENT_MAX_BYTES, TIMEOUT_DEFAULT_MS, TIMEOUT_MAX_MS, TOPIC_MAX_BYTES } from "./limits.ts";

// The methods of the local client protocol, LPC: what stands in `params`, `result` and in the notification `event`. Parameters are
// strict, for a misspelt one must not be passed over; results are not, so that a daemon may say more than a client knows.

const topic = z.string().refine((text) => new TextEncoder().encode(text).length <= TOPIC_MAX_BYTES, {
  error: `a topic has at most ${TOPIC_MAX_BYTES} bytes`,
});
const count = z.int().min(0);
const path = z.enum(["channel", "session", "relayed"]);

/** Told apart from a content that is not base64, for the advice differs. */
export const TOO_LARGE: string = `content has at most ${CONTENT_MAX_BYTES} bytes; send it in parts`;

const contentParam: z.ZodType<Uint8Array, string> = z.string().transform((text, context) => {
  // The length comes first: what is too long is not decoded.
  const isLong = text.length > base64SizeBytes(CONTENT_MAX_BYTES);
  const bytes = isLong ? undefined : decodeBase64(text);
  if (bytes !== undefined && bytes.length <= CONTENT_MAX_BYTES) return bytes;
  const message = isLong || bytes !== undefined ? TOO_LARGE : "content is base64, padded, without white space";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

export type Via = "any" | "channel" | "relay";

export type SubmitRequest = {
  /** A node id; whether it is one is for the daemon to say. */
  readonly to: string;
  readonly content: Uint8Array;
  readonly topic: string;
  readonly via: Via;
  readonly timeoutMs: number;
};

export const submitParams: z.ZodType<SubmitRequest> = z.strictObject({
  to: z.string().max(128),
  content: contentParam,
  topic: topic.default(""),
  via: z.enum(["any", "channel", "relay"]).default("any"),
  timeoutMs: z.int().min(1).max(TIMEOUT_MAX_MS).default(TIMEOUT_DEFAULT_MS),
});

export type AskRequest = Omit<SubmitRequest, "via">;

export const requestParams: z.ZodType<AskRequest> = z.strictObject({
  to: z.string().max(128),
  content: contentParam,
  topic: topic.default(""),
  timeoutMs: z.int().min(1).max(TIMEOUT_MAX_MS).default(TIMEOUT_DEFAULT_MS),
});

export type ReplyRequest = {
  /** Of the request event that is answered. */
  readonly requestId: string;
  readonly content: Uint8Array;
};

export const replyParams: z.ZodType<ReplyRequest> = z.strictObject({
  requestId: z.string().max(64),
  content: contentParam,
});

export type BroadcastRequest = { readonly content: Uint8Array; readonly topic: string };

export const broadcastParams: z.ZodType<BroadcastRequest> = z.strictObject({
  content: contentParam,
  topic: topic.default(""),
});

/** `address` is for a later version: it is understood, and answered `E_NOT_SUPPORTED`. */
export const connectParams: z.ZodType<{ readonly id: string; readonly address?: string | undefined }> = z.strictObject({
  id: z.string().max(128),
  address: z.string().max(64).optional(),
});
export type PingRequest = Omit<SubmitRequest, "content" | "topic">;
export const pingParams: z.ZodType<PingRequest> = z.strictObject({
  to: z.string().max(128),
  via: z.enum(["any", "channel", "relay"]).default("any"),
  timeoutMs: z.int().min(1).max(TIMEOUT_MAX_MS).default(TIMEOUT_DEFAULT_MS),
});
export const traceParams: z.ZodType<{ readonly to: string }> = z.strictObject({ to: z.string().max(128) });

export type AckRequest = { readonly messageId: string; readonly from: string };
export const ackParams: z.ZodType<AckRequest> = z.strictObject({
  messageId: z.string().max(64),
  from: z.string().max(128),
});

export type DisconnectRequest = { readonly id: string; readonly silently: boolean };
export const disconnectParams: z.ZodType<DisconnectRequest> = z.strictObject({
  id: z.string().max(128),
  /** For drills: the channel dies as in a network failure, and nobody is told. */
  silently: z.boolean().default(false),
});

export type Receipt = {
  readonly messageId: string;
  /** What the message went over, as far as the sender can tell. */
  readonly path: "channel" | "session" | "relayed";
  /** Links that it went over. */
  readonly hops: number;
  readonly elapsedMs: number;
};

export const receiptResult: z.ZodType<Receipt> = z.object({
  messageId: z.string(),
  path,
  hops: count,
  elapsedMs: z.number(),
});

export type Answer = { readonly content: Uint8Array; readonly receipt: Receipt };
export const broadcastResult: z.ZodType<{ readonly messageId: string }> = z.object({ messageId: z.string() });
export const connectResult: z.ZodType<{ readonly link: PeerInfo["link"] }> = z.object({
  link: z.enum(["session", "channel", "both"]),
});

/** One question on the way to a recipient, and what was answered; the first that is answered with none is where it ends. */
export type TraceStep = { readonly node: string; readonly asked: string; readonly answer: string; readonly ms: number };
export const traceResult: z.ZodType<{ readonly steps: readonly TraceStep[] }> = z.object({
  steps: z.array(z.object({ node: z.string(), asked: z.string(), answer: z.string(), ms: z.number() })),
});

export type NodeInfo = {
  readonly id: string;
  readonly version: string;
  readonly network: string;
  /** Where the node listens, and where it says that it can be reached. */
  readonly addresses: readonly string[];
  readonly uptimeMs: number;
};

export const infoResult: z.ZodType<NodeInfo> = z.object({
  id: z.string(),
  version: z.string(),
  network: z.string(),
  addresses: z.array(z.string()),
  uptimeMs: z.number(),
});

export type NodeStatus = {
  readonly id: string;
  readonly network: string;
  readonly version: string;
  readonly uptimeMs: number;
  /** `ip:port` of the UDP socket. */
  readonly listen: string;
  /** Our address as a neighbour saw it, if one told. */
  readonly observed: string | null;
  /** `announced`: the operator says so; `unknown`: nobody has tried. */
  readonly reachability: "announced" | "unknown";
  /** How many links are sessions over UDP, and how many are channels. */
  readonly sessions: number;
  readonly channels: number;
  /** Ids of the neighbours that keep our presence. */
  readonly anchors: readonly string[];
  /** Written messages that no program has taken yet. */
  readonly waiting: number;
  readonly counters: Readonly<Record<string, number>>;
  /** Least effort of a stamp for 512 bytes. */
  readonly price: { readonly send: number; readonly publish: number };
};

export const statusResult: z.ZodType<NodeStatus> = z.object({
  id: z.string(),
  network: z.string(),
  version: z.string(),
  uptimeMs: z.number(),
  listen: z.string(),
  observed: z.string().nullable(),
  reachability: z.enum(["announced", "unknown"]),
  sessions: count,
  channels: count,
  anchors: z.array(z.string()),
  waiting: count,
  counters: z.record(z.string(), z.number()),
  price: z.object({ send: z.number(), publish: z.number() }),
});

export type PeerInfo = {
  readonly id: string;
  /** null where there is a channel alone. */
  readonly address: string | null;
  readonly link: "session" | "channel" | "both";
  /** null before the first sample. */
  readonly rttMs: number | null;
  /** When the link opened, ms since 1970. */
  readonly since: number;
  /** One of the neighbours that keep our presence. */
  readonly anchor: boolean;
  /** Carries messages for others, as far as we know. */
  readonly reachable: boolean;
};

export const peersResult: z.ZodType<PeerInfo[]> = z.array(
  z.object({
    id: z.string(),
    address: z.string().nullable(),
    link: z.enum(["session", "channel", "both"]),
    rttMs: z.number().nullable(),
    since: z.number(),
    anchor: z.boolean(),
    reachable: z.boolean(),
  }),
);

export type EventType = "message" | "request" | "broadcast" | "peer" | "link" | "status";
const EVENT_TYPES = ["message", "request", "broadcast", "peer", "link", "status"] as const;

export type SubscribeRequest = {
  readonly events: readonly EventType[];
  readonly topic?: string | undefined;
  readonly acks: boolean;
};

export const subscribeParams: z.ZodType<SubscribeRequest> = z.strictObject({
  events: z.array(z.enum(EVENT_TYPES)).min(1).max(EVENT_TYPES.length),
  /** Only messages, requests and broadcasts of this topic; other events are not held back by it. */
  topic: topic.optional(),
  /** Messages are done with only at `message.ack`; others come again, `redelivered`, to whoever subscribes next. */
  acks: z.boolean().default(false),
});

type SubscriptionName = { readonly subscription: string };
export const subscribeResult: z.ZodType<SubscriptionName> = z.object({ subscription: z.string() });
export const unsubscribeParams: z.ZodType<SubscriptionName> = z.strictObject({ subscription: z.string().max(64) });
/** The notification `cancel` names an open request of the same connection. */
export const cancelParams: z.ZodType<{ readonly id: string | number }> = z.strictObject({
  id: z.union([z.string().max(256), z.number()]),
});
/** A method without parameters takes none, or an empty object. */
export const noParams: z.ZodType<object | undefined> = z.strictObject({}).optional();

export type MessageEvent = {
  readonly type: "message";
  readonly from: string;
  readonly messageId: string;
  readonly topic: string;
  readonly content: Uint8Array;
  readonly path: "channel" | "session" | "relayed";
  /** ms since 1970. */
  readonly receivedAt: number;
  /** It was given to a program before, which did not acknowledge it. */
  readonly redelivered: boolean;
};

/** Answer it by `message.reply` with its `requestId`. */
export type RequestEvent = {
  readonly type: "request";
  readonly from: string;
  readonly requestId: string;
  readonly topic: string;
  readonly content: Uint8Array;
  readonly path: "channel" | "session" | "relayed";
  /** ms since 1970. */
  readonly receivedAt: number;
};

/** Told to everybody, and signed by who it is from. */
export type BroadcastEvent = {
  readonly type: "broadcast";
  readonly from: string;
  readonly messageId: string;
  readonly topic: string;
  readonly content: Uint8Array;
  /** ms since 1970. */
  readonly receivedAt: number;
};

export type LinkEvent = {
  readonly type: "link";
  readonly link: "session" | "channel";
  /** `unanswered`: a bootstrap node did not answer; it is tried again. */
  readonly change: "opened" | "closed" | "unanswered";
  readonly peer: string;
  readonly address: string | null;
  readonly reason: string | null;
  /** ms since 1970. */
  readonly at: number;
};

/** A peer has its first link with this node, or its last one ended. */
export type PeerEvent = {
  readonly type: "peer";
  readonly change: "appeared" | "gone";
  readonly peer: string;
  /** ms since 1970. */
  readonly at: number;
};

/** The node's status, every five seconds. */
export type StatusEvent = { readonly type: "status"; readonly status: NodeStatus };

export type LocalEvent = MessageEvent | RequestEvent | BroadcastEvent | PeerEvent | LinkEvent | StatusEvent;

/** The end of a subscription that the server dropped; its last event. */
type DroppedEvent = { readonly type: "dropped"; readonly code: string; readonly message: string };

const contentResult: z.ZodType<Uint8Array, string> = z.string().transform((text, context) => {
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return bytes;
  context.addIssue({ code: "custom", message: "not base64" });
  return z.NEVER;
});

export const answerResult: z.ZodType<Answer> = z.object({ content: contentResult, receipt: receiptResult });

/** `params` of the notification `event`. */
export const eventParams: z.ZodType<SubscriptionName & (LocalEvent | DroppedEvent)> = z.discriminatedUnion("type", [
  z.object({
    subscription: z.string(),
    type: z.literal("message"),
    from: z.string(),
    messageId: z.string(),
    topic: z.string(),
    content: contentResult,
    path,
    receivedAt: z.number(),
    redelivered: z.boolean(),
  }),
  z.object({
    subscription: z.string(),
    type: z.literal("peer"),
    change: z.enum(["appeared", "gone"]),
    peer: z.string(),
    at: z.number(),
  }),
  z.object({ subscription: z.string(), type: z.literal("status"), status: statusResult }),
  z.object({
    subscription: z.string(),
    type: z.literal("request"),
    from: z.string(),
    requestId: z.string(),
    topic: z.string(),
    content: contentResult,
    path,
    receivedAt: z.number(),
  }),
  z.object({
    subscription: z.string(),
    type: z.literal("broadcast"),
    from: z.string(),
    messageId: z.string(),
    topic: z.string(),
    content: contentResult,
    receivedAt: z.number(),
  }),
  z.object({
    subscription: z.string(),
    type: z.literal("link"),
    link: z.enum(["session", "channel"]),
    change: z.enum(["opened", "closed", "unanswered"]),
    peer: z.string(),
    address: z.string().nullable(),
    reason: z.string().nullable(),
    at: z.number(),
  }),
  z.object({ subscription: z.string(), type: z.literal("dropped"), code: z.string(), message: z.string() }),
]);

/** An event as it stands in JSON. */
export function encodeEvent(event: LocalEvent): object {
  return "content" in event ? { ...event, content: encodeBase64(event.content) } : event;
}
