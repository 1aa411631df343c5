export type { LocalClient, RequestOptions, SubmitOptions, SubscribeOptions, Subscription } from "./client.ts";
export { createClient } from "./client.ts";
export { connect } from "./connect.ts";
export type { LocalErrorCode } from "./errors.ts";
export { LocalClientError } from "./errors.ts";
export type { EventStream } from "./event-queue.ts";
export { CONTENT_MAX_BYTES, TIMEOUT_DEFAULT_MS, TIMEOUT_MAX_MS, TOPIC_MAX_BYTES } from "./limits.ts";
export type {
  Answer,
  BroadcastEvent,
  EventType,
  LinkEvent,
  LocalEvent,
  MessageEvent,
  NodeInfo,
  NodeStatus,
  PeerEvent,
  PeerInfo,
  Receipt,
  RequestEvent,
  StatusEvent,
  TraceStep,
  Via,
} from "./protocol.ts";
export type { Transport, TransportEvents } from "./transport.ts";
