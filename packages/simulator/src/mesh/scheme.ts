/** A way of spreading messages over a mesh. */
export type Scheme = {
  publish(from: number, message: number): void;
};

/** Hears of each message's first arrival at a node. */
export type Delivered = (node: number, message: number) => void;

/** What a publication of 400 B of content is on the wire: frame header 7, hops and flags 2, publication header 119. */
export const PUBLISH_BYTES: number = 7 + 2 + 119 + 400;
export const FRAME_HEADER_BYTES = 3;
export const SHORT_ID_BYTES = 8;
