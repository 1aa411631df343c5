export { allowedCandidates, isAllowedCandidate } from "./candidate-policy.ts";
export type { ChannelState, CloseReason, DropReason } from "./channel.ts";
export { RtcError, type RtcErrorCode } from "./errors.ts";
export { FRAME_MAX_BYTES, MESSAGE_MAX_BYTES } from "./framing.ts";
export { createRtcHub, type RtcHub, type RtcHubOptions, type RtcListener, type RtcStats } from "./rtc-hub.ts";
