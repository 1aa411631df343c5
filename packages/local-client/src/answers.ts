import * as z from "zod/mini";
import { contentResult } from "./content.ts";

// What stands in the `result` of the local client protocol's methods, LPC. Other fields are passed over, so that a daemon may say more
// than a client knows.

const count = z.int().check(z.minimum(0));
export const pathSchema: z.ZodMiniType<"channel" | "session" | "relayed"> = z.enum(["channel", "session", "relayed"]);

/** The recipient's daemon has written the message. `messageId`: 32 hex digits; `elapsedMs` since it was submitted. */
export type Receipt = {
  readonly messageId: string;
  /** What the message went over, as far as the sender can tell. */
  readonly path: "channel" | "session" | "relayed";
  /** Links that it went over. */
  readonly hops: number;
  readonly elapsedMs: number;
};

/** By hand: every message has one, and a schema would cost the program more than reading the JSON. */
export const receiptResult: z.ZodMiniType<Receipt> = z.custom<Receipt>((value) => {
  if (typeof value !== "object" || value === null) return false;
  const { messageId, path, hops, elapsedMs } = value as Record<string, unknown>;
  const isPath = path === "channel" || path === "session" || path === "relayed";
  return (
    typeof messageId === "string" &&
    isPath &&
    Number.isInteger(hops) &&
    Number(hops) >= 0 &&
    typeof elapsedMs === "number"
  );
});

/** The reply to a request, and the receipt of the request. */
export type Answer = { readonly content: Uint8Array; readonly receipt: Receipt };
export const answerResult: z.ZodMiniType<Answer> = z.object({ content: contentResult, receipt: receiptResult });

export const broadcastResult: z.ZodMiniType<{ readonly messageId: string }> = z.object({ messageId: z.string() });
export const connectResult: z.ZodMiniType<{ readonly link: PeerInfo["link"] }> = z.object({
  link: z.enum(["session", "channel", "both"]),
});

/** One question on the way to a recipient, and what was answered; the first that is answered with none is where it ends. */
export type TraceStep = { readonly node: string; readonly asked: string; readonly answer: string; readonly ms: number };
export const traceResult: z.ZodMiniType<{ readonly steps: readonly TraceStep[] }> = z.object({
  steps: z.array(z.object({ node: z.string(), asked: z.string(), answer: z.string(), ms: z.number() })),
});

/** What does not change while a node runs. */
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

/** How a node is now. */
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
  /** The configured bootstrap nodes, `ID@IP:PORT`; links to them stand among the links. */
  readonly bootstrap: readonly string[];
  /** How many links are sessions over UDP, and how many are channels. */
  readonly sessions: number;
  readonly channels: number;
  /** Ids of the neighbours that keep our presence. */
  readonly anchors: readonly string[];
  /** Written messages that no program has taken yet. */
  readonly waiting: number;
  readonly counters: Readonly<Record<string, number>>;
  /** What the middle one of the neighbours asks a stamp to claim for 512 bytes: the floors, unless they are congested. */
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

/** A neighbour. */
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
