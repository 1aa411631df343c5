export { FrameReader, FrameWriter, framedBytes, MESSAGE_MAX_BYTES, RECORD_MAX_BYTES, recordsOf } from "./framing.ts";
export { fromCandidateLine, fromSdp, toCandidateLine, toSdp } from "./sdp.ts";
