export { Counters } from "./counters.ts";
export type { SubmitErrorCode } from "./errors.ts";
export type { ForwardLimits } from "./forward-quota.ts";
export { DEFAULT_FORWARD_LIMITS } from "./forward-quota.ts";
export { InboxAge } from "./inbox-age.ts";
export { IngressQueue } from "./ingress-queue.ts";
export type { Broadcast, NodeInput, RelayInput, Reply, RtcInput, Submit } from "./input.ts";
export type { IcePolicy, NodeCoreOptions } from "./node-core.ts";
export { NodeCore } from "./node-core.ts";
export { TIMEOUT_MAX_MS } from "./outbox.ts";
export type {
  BroadcastMessage,
  InboxEntry,
  LinkChange,
  MintRequest,
  NodeOutput,
  OpenMessage,
  Receipt,
  RelayOutput,
  RtcCommand,
  TraceStep,
  Transmit,
} from "./output.ts";
export type { RelayCoreInput, RelayCoreOptions } from "./relay-core.ts";
export { RelayCore } from "./relay-core.ts";
export { laneOf, TopicShare } from "./topic-share.ts";
