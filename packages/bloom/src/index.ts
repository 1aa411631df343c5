export { BloomFilter, type BloomFilterOptions } from "./bloom-filter.ts";
export { BloomError, type BloomErrorCode } from "./errors.ts";
export { RotatingFilter, type RotatingFilterOptions } from "./rotating-filter.ts";
export { ScalableBloomFilter, type ScalableBloomFilterOptions } from "./scalable-bloom-filter.ts";
export type { ScalingOptions } from "./slice-stack.ts";
