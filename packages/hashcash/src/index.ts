export { MAX_EFFORT, PUBLISH_FLOOR, SEND_FLOOR } from "./effort.ts";
export { MintError, type MintErrorCode } from "./errors.ts";
export { type KernelName, mintKernelName } from "./kernel-choice.ts";
export { createMint, type Mint, type MintTask } from "./mint.ts";
export {
  firstBid,
  firstPrice,
  nextPrice,
  PRICE_CAP,
  type Price,
  type PriceObservation,
  raisedBid,
} from "./price.ts";
export { type StampClaim, type StampVerdict, stampFloor, verifyStamp } from "./stamp.ts";
export { formatStamp, parseStamp, type Stamp } from "./stamp-text.ts";
