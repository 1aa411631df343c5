export { Counters } from "./counters.ts";
export type { SubmitErrorCode } from "./errors.ts";
export { InboxAge } from "./inbox-age.ts";
export type { Broadcast, NodeInput, RelayInput, Reply, RtcInput, Submit } from "./input.ts";
export type { LinkQuotaLimits } from "./link-quota.ts";
export { DEFAULT_LINK_QUOTA } from "./link-quota.ts";
export type { NodeCoreOptions } from "./node-core.ts";
export { NodeCore } from "./node-core.ts";
export { TIMEOUT_MAX_MS } from "./outbox.ts";
export type {
  BroadcastMessage,
  InboxEntry,
  LinkChange,
  MintRequest,
  NodeOutput,
  Receipt,
  RelayOutput,
  RtcCommand,
  TraceStep,
  Transmit,
} from "./output.ts";
export type { RelayCoreOptions } from "./relay-core.ts";
export { RelayCore } from "./relay-core.ts";
