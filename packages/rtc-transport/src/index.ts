export { allowedCandidates, isAllowedCandidate } from "./candidate-policy.ts";
export type { ChannelState, CloseReason } from "./channel.ts";
export { RtcError, type RtcErrorCode } from "./errors.ts";
export { MESSAGE_MAX_BYTES, RECORD_MAX_BYTES } from "./framing.ts";
export type { DropReason, RtcBackend } from "./link.ts";
export {
  createRtcHub,
  type DialOptions,
  type RtcHub,
  type RtcHubOptions,
  type RtcListener,
  type RtcStats,
} from "./rtc-hub.ts";
