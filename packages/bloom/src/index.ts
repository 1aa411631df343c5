export { BloomFilter, type BloomFilterOptions, type RestoreOptions } from "./bloom-filter.ts";
export { BloomError, type BloomErrorCode } from "./errors.ts";
export { RotatingFilter, type RotatingFilterOptions, type RotatingRestoreOptions } from "./rotating-filter.ts";
export { ScalableBloomFilter, type ScalableBloomFilterOptions } from "./scalable-bloom-filter.ts";
export type { ScalingOptions } from "./scaling-plan.ts";
