export { EventQueue } from "./event-queue.ts";
export type { NetworkConditions } from "./network.ts";
export { Network } from "./network.ts";
export type { SeededRandom } from "./seeded-random.ts";
export { seededRandom } from "./seeded-random.ts";
export { VirtualRtc } from "./virtual-rtc.ts";
export type { CryptoTap, SimNode, SimRelay, WorldOptions } from "./world.ts";
export { World } from "./world.ts";
