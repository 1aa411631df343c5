export type { EmbeddedNode, NodeOptions, Testnet } from "./embedded.ts";
export { createNode, testnet } from "./embedded.ts";
