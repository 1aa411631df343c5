import { DATA_OVERHEAD_BYTES, DATAGRAM_FRAMES_MAX_BYTES } from "@starling/wire-protocol";

/** What a session's datagrams travel on, as far as a link must know (PROTOCOL §3, §5.1). */
export type Carrier = {
  /** Room for frames in one datagram. */
  readonly framesMaxBytes: number;
  /** Nothing is lost and all comes in order while it lives: nothing is sent again because of the time. */
  readonly isReliable: boolean;
};

export const UDP_CARRIER: Carrier = { framesMaxBytes: DATAGRAM_FRAMES_MAX_BYTES, isReliable: false };

/** Largest message of a channel. */
export const CHANNEL_MESSAGE_MAX_BYTES = 16_384;
export const CHANNEL_CARRIER: Carrier = {
  framesMaxBytes: CHANNEL_MESSAGE_MAX_BYTES - DATA_OVERHEAD_BYTES,
  isReliable: true,
};
