import * as z from "zod/mini";
import { type NodeStatus, pathSchema, statusResult } from "./answers.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { contentResult } from "./content.ts";
import { topicSchema } from "./requests.ts";

// What a program subscribes to, and what it is then told: the notification `event`.

/** Kinds of events that a program can subscribe to. */
export type EventType = "message" | "request" | "broadcast" | "peer" | "link" | "status";
const EVENT_TYPES = ["message", "request", "broadcast", "peer", "link", "status"] as const;

/** A subscription as it comes in; what is absent has its default. */
export type SubscribeRequest = {
  readonly events: readonly EventType[];
  readonly topic?: string | undefined;
  readonly acks: boolean;
};

/** Checks the params of `subscribe`. */
export const subscribeParams: z.ZodMiniType<SubscribeRequest> = z.strictObject({
  events: z.array(z.enum(EVENT_TYPES)).check(z.minLength(1), z.maxLength(EVENT_TYPES.length)),
  /** Only messages, requests and broadcasts of this topic; other events are not held back by it. */
  topic: z.optional(topicSchema),
  /** Messages are done with only at `message.ack`; others come again, `redelivered`, to whoever subscribes next. */
  acks: z._default(z.boolean(), false),
});

type SubscriptionName = { readonly subscription: string };
/** Checks the result of `subscribe`. */
export const subscribeResult: z.ZodMiniType<SubscriptionName> = z.object({ subscription: z.string() });
/** Checks the params of `unsubscribe`. */
export const unsubscribeParams: z.ZodMiniType<SubscriptionName> = z.strictObject({
  subscription: z.string().check(z.maxLength(64)),
});
/** A message for this node. `from`: its author, proved by the sealed box or the link; `messageId`: 32 hex digits. */
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

/** A link of this node changed. `address` is null for a channel; `reason` says why it closed, else null. */
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

/** Whatever a subscription brings; `type` tells them apart. */
export type LocalEvent = MessageEvent | RequestEvent | BroadcastEvent | PeerEvent | LinkEvent | StatusEvent;

/** The end of a subscription that the server dropped; its last event. */
type DroppedEvent = { readonly type: "dropped"; readonly code: string; readonly message: string };

type Notified = SubscriptionName & (LocalEvent | DroppedEvent);

/** `params` of the notification `event`. */
const eventParams: z.ZodMiniType<Notified> = z.discriminatedUnion("type", [
  z.object({
    subscription: z.string(),
    type: z.literal("message"),
    from: z.string(),
    messageId: z.string(),
    topic: z.string(),
    content: contentResult,
    path: pathSchema,
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
    path: pathSchema,
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
    address: z.nullable(z.string()),
    reason: z.nullable(z.string()),
    at: z.number(),
  }),
  z.object({ subscription: z.string(), type: z.literal("dropped"), code: z.string(), message: z.string() }),
]);

/** The event in a notification's `params`; undefined where there is none. */
export function readEvent(params: unknown): Notified | undefined {
  const message = readMessage(params);
  if (message !== undefined) return message;
  const read = eventParams.safeParse(params);
  return read.success ? read.data : undefined;
}

/** By hand, as most events are messages; undefined for all else. */
function readMessage(params: unknown): (SubscriptionName & MessageEvent) | undefined {
  if (typeof params !== "object" || params === null) return undefined;
  const { subscription, type, from, messageId, topic, content, path, receivedAt, redelivered } = params as Record<
    string,
    unknown
  >;
  if (type !== "message" || typeof subscription !== "string" || typeof from !== "string") return undefined;
  if (typeof messageId !== "string" || typeof topic !== "string" || typeof content !== "string") return undefined;
  if (path !== "channel" && path !== "session" && path !== "relayed") return undefined;
  if (typeof receivedAt !== "number" || typeof redelivered !== "boolean") return undefined;
  const bytes = decodeBase64(content);
  if (bytes === undefined) return undefined;
  return { subscription, type, from, messageId, topic, content: bytes, path, receivedAt, redelivered };
}

/** An event as it stands in JSON. */
export function encodeEvent(event: LocalEvent): object {
  return "content" in event ? { ...event, content: encodeBase64(event.content) } : event;
}
