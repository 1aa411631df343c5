export { AEAD_TAG_BYTES, type Aead } from "./aead.ts";
export type { CipherState } from "./cipher-state.ts";
export {
  createMac,
  createNoiseHandshake,
  equalBytes,
  forgetIdentity,
  generateIdentity,
  hmacSha256,
  identityFromSeed,
  initiateHandshake,
  openBox,
  respondHandshake,
  sealBox,
  seedOf,
  sha256,
  sign,
  systemRandom,
  verify,
} from "./default-suite.ts";
export { IdentityError, type IdentityErrorCode } from "./errors.ts";
export type { PatternName } from "./handshake-pattern.ts";
export { type Identity, SEED_BYTES } from "./identity.ts";
export {
  isNodeId,
  NODE_ID_BYTES,
  type NodeId,
  nodeIdAt,
  nodeIdFromBytes,
  nodeIdToBytes,
  parseNodeId,
  writeNodeId,
} from "./node-id.ts";
export type { NoiseHandshake, NoiseHandshakeInput, NoiseTransport } from "./noise-handshake.ts";
export type { Mac } from "./primitives.ts";
export { protocolPrologue } from "./prologue.ts";
export type { RandomSource } from "./random.ts";
export { type OpenBoxInput, type OpenedBox, SEALED_BOX_OVERHEAD_BYTES, type SealBoxInput } from "./sealed-box.ts";
export {
  HANDSHAKE_INITIATION_OVERHEAD_BYTES,
  HANDSHAKE_RESPONSE_OVERHEAD_BYTES,
  type InitiateInput,
  type Initiation,
  type RespondInput,
  type Response,
  type SessionKeys,
} from "./session-handshake.ts";
export { SIGNATURE_BYTES, type SignInput, type VerifyInput } from "./signature.ts";
