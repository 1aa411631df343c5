import * as z from "zod/mini";
import { encodeBase64 } from "./base64.ts";
import { contentResult, type NodeStatus, pathSchema, statusResult, topicSchema } from "./protocol.ts";

// What a program subscribes to, and what it is then told: the notification `event`.

export type EventType = "message" | "request" | "broadcast" | "peer" | "link" | "status";
const EVENT_TYPES = ["message", "request", "broadcast", "peer", "link", "status"] as const;

export type SubscribeRequest = {
  readonly events: readonly EventType[];
  readonly topic?: string | undefined;
  readonly acks: boolean;
};

export const subscribeParams: z.ZodMiniType<SubscribeRequest> = z.strictObject({
  events: z.array(z.enum(EVENT_TYPES)).check(z.minLength(1), z.maxLength(EVENT_TYPES.length)),
  /** Only messages, requests and broadcasts of this topic; other events are not held back by it. */
  topic: z.optional(topicSchema),
  /** Messages are done with only at `message.ack`; others come again, `redelivered`, to whoever subscribes next. */
  acks: z._default(z.boolean(), false),
});

type SubscriptionName = { readonly subscription: string };
export const subscribeResult: z.ZodMiniType<SubscriptionName> = z.object({ subscription: z.string() });
export const unsubscribeParams: z.ZodMiniType<SubscriptionName> = z.strictObject({
  subscription: z.string().check(z.maxLength(64)),
});
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

/** `params` of the notification `event`. */
export const eventParams: z.ZodMiniType<SubscriptionName & (LocalEvent | DroppedEvent)> = z.discriminatedUnion("type", [
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

/** An event as it stands in JSON. */
export function encodeEvent(event: LocalEvent): object {
  return "content" in event ? { ...event, content: encodeBase64(event.content) } : event;
}
