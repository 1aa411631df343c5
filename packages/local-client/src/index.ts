export type { Answer, LinkInfo, NodeInfo, NodeStatus, OpenMessage, PeerInfo, Receipt, TraceStep } from "./answers.ts";
export type {
  LocalClient,
  OpenTransport,
  RequestOptions,
  SubmitOptions,
  SubscribeOptions,
  Subscription,
} from "./client.ts";
export { createClient } from "./client.ts";
export { type ConnectOptions, connect } from "./connect.ts";
export type { LocalErrorCode } from "./errors.ts";
export { LocalClientError } from "./errors.ts";
export type { EventStream } from "./event-queue.ts";
export type {
  BroadcastEvent,
  EventType,
  LinkEvent,
  LocalEvent,
  MessageEvent,
  PeerEvent,
  RequestEvent,
  StatusEvent,
} from "./events.ts";
export { CONTENT_MAX_BYTES, TIMEOUT_DEFAULT_MS, TIMEOUT_MAX_MS, TOPIC_MAX_BYTES } from "./limits.ts";
export type { Via } from "./requests.ts";
export type { Transport, TransportEvents } from "./transport.ts";
