import * as z from "zod/mini";
import { contentParam, readContent } from "./content.ts";
import { TIMEOUT_DEFAULT_MS, TIMEOUT_MAX_MS, TOPIC_MAX_BYTES } from "./limits.ts";

// What stands in the `params` of the local client protocol's methods, LPC. They are strict, for a misspelt one must not be passed over.

const encoder = new TextEncoder();

function isTopic(text: string): boolean {
  return text.length <= TOPIC_MAX_BYTES / 3 || encoder.encode(text).length <= TOPIC_MAX_BYTES;
}

export const topicSchema: z.ZodMiniType<string> = z
  .string()
  .check(z.refine(isTopic, { error: `a topic has at most ${TOPIC_MAX_BYTES} bytes` }));
const timeoutSchema: z.ZodMiniType<number> = z._default(
  z.int().check(z.minimum(1), z.maximum(TIMEOUT_MAX_MS)),
  TIMEOUT_DEFAULT_MS,
);

/** Which ways a message may take: all; a data channel alone; not the own link to the recipient. */
export type Via = "any" | "channel" | "relay";

/** `message.submit` as it comes in, its defaults filled in; `timeoutMs` up to 600,000. */
export type SubmitRequest = {
  /** A node id; whether it is one is for the daemon to say. */
  readonly to: string;
  readonly content: Uint8Array;
  readonly topic: string;
  readonly via: Via;
  readonly timeoutMs: number;
  /** 32 hex digits of the program's own. */
  readonly messageId?: string | undefined;
};

const ID_MAX_CHARACTERS = 128;
const MESSAGE_ID = /^[0-9a-f]{32}$/;

export const submitParams: z.ZodMiniType<SubmitRequest> = z.strictObject({
  to: z.string().check(z.maxLength(ID_MAX_CHARACTERS)),
  content: contentParam,
  topic: z._default(topicSchema, ""),
  via: z._default(z.enum(["any", "channel", "relay"]), "any"),
  timeoutMs: timeoutSchema,
  messageId: z.optional(z.string().check(z.regex(MESSAGE_ID, "a message id has 32 lower-case hexadecimal digits"))),
});

/**
 * The same by hand, for it is what programs ask most and the schema costs as much as all else that is done with the request. Undefined
 * for anything out of the ordinary, of which the schema then says what is wrong.
 */
export function readSubmit(params: unknown): SubmitRequest | undefined {
  if (typeof params !== "object" || params === null) return undefined;
  let [to, content, topic, via, timeoutMs]: unknown[] = [undefined, undefined, "", "any", TIMEOUT_DEFAULT_MS];
  let messageId: unknown;
  for (const [name, value] of Object.entries(params)) {
    if (name === "to") to = value;
    else if (name === "content") content = value;
    else if (name === "topic") topic = value;
    else if (name === "via") via = value;
    else if (name === "timeoutMs") timeoutMs = value;
    else if (name === "messageId") messageId = value;
    else return undefined;
  }
  if (typeof to !== "string" || to.length > ID_MAX_CHARACTERS || typeof content !== "string") return undefined;
  if (typeof topic !== "string" || !isTopic(topic) || (via !== "any" && via !== "channel" && via !== "relay"))
    return undefined;
  if (typeof timeoutMs !== "number" || !Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > TIMEOUT_MAX_MS) {
    return undefined;
  }
  if (messageId !== undefined && (typeof messageId !== "string" || !MESSAGE_ID.test(messageId))) return undefined;
  const bytes = readContent(content);
  return typeof bytes === "string" ? undefined : { to, content: bytes, topic, via, timeoutMs, messageId };
}

/** `message.request`: a message that wants one reply. */
export type AskRequest = Omit<SubmitRequest, "via" | "messageId">;

export const requestParams: z.ZodMiniType<AskRequest> = z.strictObject({
  to: z.string().check(z.maxLength(ID_MAX_CHARACTERS)),
  content: contentParam,
  topic: z._default(topicSchema, ""),
  timeoutMs: timeoutSchema,
});

/** `message.reply`: the answer to a request. */
export type ReplyRequest = {
  /** Of the request event that is answered. */
  readonly requestId: string;
  readonly content: Uint8Array;
};

export const replyParams: z.ZodMiniType<ReplyRequest> = z.strictObject({
  requestId: z.string().check(z.maxLength(64)),
  content: contentParam,
});

/** `message.broadcast`: for everybody; `content` at most 16,384 bytes. */
export type BroadcastRequest = { readonly content: Uint8Array; readonly topic: string };

export const broadcastParams: z.ZodMiniType<BroadcastRequest> = z.strictObject({
  content: contentParam,
  topic: z._default(topicSchema, ""),
});

/** `peers.connect`: a link to this node is wanted. */
export type ConnectRequest = {
  readonly id: string;
  /** `IP:PORT`, for a session over UDP to it; without one a channel is opened. */
  readonly address?: string | undefined;
};
export const connectParams: z.ZodMiniType<ConnectRequest> = z.strictObject({
  id: z.string().check(z.maxLength(128)),
  address: z.optional(z.string().check(z.maxLength(64))),
});
/** `peers.ping`: is this node there, and by which way? */
export type PingRequest = Omit<SubmitRequest, "content" | "topic" | "messageId">;
export const pingParams: z.ZodMiniType<PingRequest> = z.strictObject({
  to: z.string().check(z.maxLength(ID_MAX_CHARACTERS)),
  via: z._default(z.enum(["any", "channel", "relay"]), "any"),
  timeoutMs: timeoutSchema,
});
export const traceParams: z.ZodMiniType<{ readonly to: string }> = z.strictObject({
  to: z.string().check(z.maxLength(ID_MAX_CHARACTERS)),
});

/** `message.ack`: a program has dealt with this message, named by its author and 32 hex digits. */
export type AckRequest = { readonly messageId: string; readonly from: string };
export const ackParams: z.ZodMiniType<AckRequest> = z.strictObject({
  messageId: z.string().check(z.maxLength(64)),
  from: z.string().check(z.maxLength(128)),
});

/** `peers.disconnect`: close the channel to this node; `silently` cuts its sockets and tells nobody, as a drill. */
export type DisconnectRequest = { readonly id: string; readonly silently: boolean };
export const disconnectParams: z.ZodMiniType<DisconnectRequest> = z.strictObject({
  id: z.string().check(z.maxLength(128)),
  /** For drills: the channel dies as in a network failure, and nobody is told. */
  silently: z._default(z.boolean(), false),
});

/** The notification `cancel` names an open request of the same connection. */
export const cancelParams: z.ZodMiniType<{ readonly id: string | number }> = z.strictObject({
  id: z.union([z.string().check(z.maxLength(256)), z.number()]),
});
/** A method without parameters takes none, or an empty object. */
export const noParams: z.ZodMiniType<object | undefined> = z.optional(z.strictObject({}));
