import * as z from "zod/mini";
import { base64SizeBytes, decodeBase64 } from "./base64.ts";
import { CONTENT_MAX_BYTES, TIMEOUT_DEFAULT_MS, TIMEOUT_MAX_MS, TOPIC_MAX_BYTES } from "./limits.ts";

// The methods of the local client protocol, LPC: what stands in `params`, `result` and in the notification `event`. Parameters are
// strict, for a misspelt one must not be passed over; results are not, so that a daemon may say more than a client knows.

export const topicSchema: z.ZodMiniType<string> = z.string().check(
  z.refine((text) => new TextEncoder().encode(text).length <= TOPIC_MAX_BYTES, {
    error: `a topic has at most ${TOPIC_MAX_BYTES} bytes`,
  }),
);
const timeoutSchema: z.ZodMiniType<number> = z._default(
  z.int().check(z.minimum(1), z.maximum(TIMEOUT_MAX_MS)),
  TIMEOUT_DEFAULT_MS,
);
const count = z.int().check(z.minimum(0));
export const pathSchema: z.ZodMiniType<"channel" | "session" | "relayed"> = z.enum(["channel", "session", "relayed"]);

/** Told apart from a content that is not base64, for the advice differs. */
export const TOO_LARGE: string = `content has at most ${CONTENT_MAX_BYTES} bytes; send it in parts`;

const contentParam: z.ZodMiniType<Uint8Array, string> = contentSchema((text) => {
  // The length comes first: what is too long is not decoded.
  if (text.length > base64SizeBytes(CONTENT_MAX_BYTES)) return TOO_LARGE;
  const bytes = decodeBase64(text);
  if (bytes === undefined) return "content is base64, padded, without white space";
  return bytes.length <= CONTENT_MAX_BYTES ? bytes : TOO_LARGE;
});

export type Via = "any" | "channel" | "relay";

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

export const submitParams: z.ZodMiniType<SubmitRequest> = z.strictObject({
  to: z.string().check(z.maxLength(128)),
  content: contentParam,
  topic: z._default(topicSchema, ""),
  via: z._default(z.enum(["any", "channel", "relay"]), "any"),
  timeoutMs: timeoutSchema,
  messageId: z.optional(
    z.string().check(z.regex(/^[0-9a-f]{32}$/, "a message id has 32 lower-case hexadecimal digits")),
  ),
});

export type AskRequest = Omit<SubmitRequest, "via" | "messageId">;

export const requestParams: z.ZodMiniType<AskRequest> = z.strictObject({
  to: z.string().check(z.maxLength(128)),
  content: contentParam,
  topic: z._default(topicSchema, ""),
  timeoutMs: timeoutSchema,
});

export type ReplyRequest = {
  /** Of the request event that is answered. */
  readonly requestId: string;
  readonly content: Uint8Array;
};

export const replyParams: z.ZodMiniType<ReplyRequest> = z.strictObject({
  requestId: z.string().check(z.maxLength(64)),
  content: contentParam,
});

export type BroadcastRequest = { readonly content: Uint8Array; readonly topic: string };

export const broadcastParams: z.ZodMiniType<BroadcastRequest> = z.strictObject({
  content: contentParam,
  topic: z._default(topicSchema, ""),
});

export type ConnectRequest = {
  readonly id: string;
  /** `HOST:PORT`, for a session over UDP to it; without one a channel is opened. */
  readonly address?: string | undefined;
};
export const connectParams: z.ZodMiniType<ConnectRequest> = z.strictObject({
  id: z.string().check(z.maxLength(128)),
  address: z.optional(z.string().check(z.maxLength(64))),
});
export type PingRequest = Omit<SubmitRequest, "content" | "topic" | "messageId">;
export const pingParams: z.ZodMiniType<PingRequest> = z.strictObject({
  to: z.string().check(z.maxLength(128)),
  via: z._default(z.enum(["any", "channel", "relay"]), "any"),
  timeoutMs: timeoutSchema,
});
export const traceParams: z.ZodMiniType<{ readonly to: string }> = z.strictObject({
  to: z.string().check(z.maxLength(128)),
});

export type AckRequest = { readonly messageId: string; readonly from: string };
export const ackParams: z.ZodMiniType<AckRequest> = z.strictObject({
  messageId: z.string().check(z.maxLength(64)),
  from: z.string().check(z.maxLength(128)),
});

export type DisconnectRequest = { readonly id: string; readonly silently: boolean };
export const disconnectParams: z.ZodMiniType<DisconnectRequest> = z.strictObject({
  id: z.string().check(z.maxLength(128)),
  /** For drills: the channel dies as in a network failure, and nobody is told. */
  silently: z._default(z.boolean(), false),
});

export type Receipt = {
  readonly messageId: string;
  /** What the message went over, as far as the sender can tell. */
  readonly path: "channel" | "session" | "relayed";
  /** Links that it went over. */
  readonly hops: number;
  readonly elapsedMs: number;
};

export const receiptResult: z.ZodMiniType<Receipt> = z.object({
  messageId: z.string(),
  path: pathSchema,
  hops: count,
  elapsedMs: z.number(),
});

export type Answer = { readonly content: Uint8Array; readonly receipt: Receipt };
export const broadcastResult: z.ZodMiniType<{ readonly messageId: string }> = z.object({ messageId: z.string() });
export const connectResult: z.ZodMiniType<{ readonly link: PeerInfo["link"] }> = z.object({
  link: z.enum(["session", "channel", "both"]),
});

/** One question on the way to a recipient, and what was answered; the first that is answered with none is where it ends. */
export type TraceStep = { readonly node: string; readonly asked: string; readonly answer: string; readonly ms: number };
export const traceResult: z.ZodMiniType<{ readonly steps: readonly TraceStep[] }> = z.object({
  steps: z.array(z.object({ node: z.string(), asked: z.string(), answer: z.string(), ms: z.number() })),
});

export type NodeInfo = {
  readonly id: string;
  readonly version: string;
  readonly network: string;
  /** Where the node listens, and where it says that it can be reached. */
  readonly addresses: readonly string[];
  readonly uptimeMs: number;
  /** `ip:port` of the dashboard and of the local API over WebSocket; null where it is off. */
  readonly http: string | null;
};

export const infoResult: z.ZodMiniType<NodeInfo> = z.object({
  id: z.string(),
  version: z.string(),
  network: z.string(),
  addresses: z.array(z.string()),
  uptimeMs: z.number(),
  http: z.nullable(z.string()),
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
  /**
   * `reachable`: strangers have got through to this node, so others count on it; `announced`: the operator says that they can, and
   * it is not proved yet; `unknown`: nobody has got through.
   */
  readonly reachability: "reachable" | "announced" | "unknown";
  /** The configured bootstrap nodes, `ID@HOST:PORT`; links to them stand among the links. */
  readonly bootstrap: readonly string[];
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

export const statusResult: z.ZodMiniType<NodeStatus> = z.object({
  id: z.string(),
  network: z.string(),
  version: z.string(),
  uptimeMs: z.number(),
  listen: z.string(),
  observed: z.nullable(z.string()),
  reachability: z.enum(["reachable", "announced", "unknown"]),
  bootstrap: z.array(z.string()),
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

export const peersResult: z.ZodMiniType<PeerInfo[]> = z.array(
  z.object({
    id: z.string(),
    address: z.nullable(z.string()),
    link: z.enum(["session", "channel", "both"]),
    rttMs: z.nullable(z.number()),
    since: z.number(),
    anchor: z.boolean(),
    reachable: z.boolean(),
  }),
);

/** A session or a channel; a peer has one of each at most. */
export type LinkInfo = {
  readonly peer: string;
  readonly link: "session" | "channel";
  /** `ip:port` of the peer; null for a channel. */
  readonly address: string | null;
  /** null before the first sample. */
  readonly rttMs: number | null;
  /** When it opened, ms since 1970. */
  readonly since: number;
  /** How long ago the peer was heard last. */
  readonly heardMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Bytes that wait to be sent. */
  readonly queuedBytes: number;
  /** Where the peer says that it sees this node, `ip:port`, and by how much its clock is ahead; null where it has not said. */
  readonly observed: string | null;
  readonly clockAheadMs: number | null;
};

export const linksResult: z.ZodMiniType<LinkInfo[]> = z.array(
  z.object({
    peer: z.string(),
    link: z.enum(["session", "channel"]),
    address: z.nullable(z.string()),
    rttMs: z.nullable(z.number()),
    since: z.number(),
    heardMs: z.number(),
    sentBytes: count,
    receivedBytes: count,
    queuedBytes: count,
    observed: z.nullable(z.string()),
    clockAheadMs: z.nullable(z.number()),
  }),
);

/** A message, request, reply or ping of this node that has no outcome yet. */
export type OpenMessage = {
  readonly to: string;
  readonly kind: "message" | "request" | "reply" | "ping";
  /** What it waits for: `sent` is for the receipt, `backing-off` for the next try, `queued` for earlier ones. */
  readonly phase:
    | "queued"
    | "opening"
    | "direct"
    | "looking-up"
    | "minting"
    | "sent"
    | "backing-off"
    | "awaiting-reply";
  /** Envelopes sent so far; one that goes over our own link has none. */
  readonly tries: number;
  readonly sinceMs: number;
};

export const openMessagesResult: z.ZodMiniType<OpenMessage[]> = z.array(
  z.object({
    to: z.string(),
    kind: z.enum(["message", "request", "reply", "ping"]),
    phase: z.enum(["queued", "opening", "direct", "looking-up", "minting", "sent", "backing-off", "awaiting-reply"]),
    tries: count,
    sinceMs: z.number(),
  }),
);

/** The notification `cancel` names an open request of the same connection. */
export const cancelParams: z.ZodMiniType<{ readonly id: string | number }> = z.strictObject({
  id: z.union([z.string().check(z.maxLength(256)), z.number()]),
});
/** A method without parameters takes none, or an empty object. */
export const noParams: z.ZodMiniType<object | undefined> = z.optional(z.strictObject({}));

export const contentResult: z.ZodMiniType<Uint8Array, string> = contentSchema(
  (text) => decodeBase64(text) ?? "not base64",
);

export const answerResult: z.ZodMiniType<Answer> = z.object({ content: contentResult, receipt: receiptResult });

/** `decode` gives the bytes, or what is wrong with the text. */
function contentSchema(decode: (text: string) => Uint8Array | string): z.ZodMiniType<Uint8Array, string> {
  return z.pipe(
    z.string(),
    z.transform((input: string, context): Uint8Array => {
      const bytes = decode(input);
      if (typeof bytes !== "string") return bytes;
      context.issues.push({ code: "custom", message: bytes, input });
      return z.NEVER;
    }),
  );
}
