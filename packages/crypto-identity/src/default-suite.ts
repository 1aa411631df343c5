import { primitives } from "#primitives";
import type { Identity } from "./identity.ts";
import type { NoiseHandshake, NoiseHandshakeInput } from "./noise-handshake.ts";
import type { Mac } from "./primitives.ts";
import type { RandomSource } from "./random.ts";
import type { OpenBoxInput, OpenedBox, SealBoxInput } from "./sealed-box.ts";
import type { InitiateInput, Initiation, RespondInput, Response } from "./session-handshake.ts";
import type { SignInput, VerifyInput } from "./signature.ts";
import { createSuite } from "./suite.ts";

// The public functions, over the backend that package.json "imports" chose for this platform.

const suite = createSuite(primitives);

/**
 * The system's cryptographic source: OpenSSL's on Node, `crypto.getRandomValues` elsewhere. The one to hand over wherever
 * bytes need not be reproducible; on Node sealing is faster with it than with any other. Throws `E_BAD_SIZE` for anything
 * but an integer from 0 to 65,536.
 */
export const systemRandom: RandomSource = suite.systemRandom;

/** A new identity from 32 random bytes. Throws `E_BAD_RANDOM` where the source gives another number of them. */
export const generateIdentity: (random: RandomSource) => Identity = suite.generateIdentity;

/** The identity of a 32-byte seed, an X25519 private key before clamping. Throws `E_BAD_SEED`. */
export const identityFromSeed: (seed: Uint8Array) => Identity = suite.identityFromSeed;

/** A copy of the seed. For storing the key, and for nothing else. Throws `E_NOT_AN_IDENTITY`. */
export const seedOf: (identity: Identity) => Uint8Array = suite.seedOf;

/**
 * Overwrites the private half where JavaScript allows. From then on the identity is refused with `E_NOT_AN_IDENTITY`, by this
 * function too, and what was begun with it comes to nothing: its `finish` gives undefined, its `respond` throws.
 */
export const forgetIdentity: (identity: Identity) => void = suite.forgetIdentity;

/**
 * Seals a plaintext to the recipient (Noise X). The box is 96 bytes longer; each has a fresh ephemeral key from `random`.
 * Throws `E_BAD_ID`, `E_NOT_AN_IDENTITY`, `E_BAD_RANDOM`, `E_BAD_ARGUMENT`, and `E_TOO_LARGE` beyond 65,535 bytes.
 */
export const sealBox: (input: SealBoxInput) => Uint8Array = suite.sealBox;

/**
 * Opens a box from a stranger; undefined where it is not whole, not for this identity, or of another prologue. Throws
 * `E_NOT_AN_IDENTITY`, and `E_BAD_ARGUMENT` for a prologue that is not bytes.
 */
export const openBox: (input: OpenBoxInput) => OpenedBox | undefined = suite.openBox;

/** Begins a session with a known key (Noise IK). Throws as `sealBox` does. */
export const initiateHandshake: (input: InitiateInput) => Initiation = suite.initiateHandshake;

/**
 * Reads a stranger's message 1; undefined where it is not whole, not for this identity, or of another prologue. Throws
 * `E_NOT_AN_IDENTITY`, and `E_BAD_ARGUMENT` for a prologue that is not bytes.
 */
export const respondHandshake: (input: RespondInput) => Response | undefined = suite.respondHandshake;

/**
 * A Noise handshake of any supported pattern, message by message, for protocols of one's own. Throws `E_BAD_ARGUMENT` with
 * the argument's name, `E_BAD_ID`, `E_NOT_AN_IDENTITY`.
 */
export const createNoiseHandshake: (input: NoiseHandshakeInput) => NoiseHandshake = suite.createNoiseHandshake;

/**
 * Signs for third parties (XEdDSA); 64 bytes. Throws `E_BAD_DOMAIN`, `E_NOT_AN_IDENTITY`, `E_BAD_RANDOM`, and `E_BAD_ARGUMENT`
 * for a message that is not bytes.
 */
export const sign: (input: SignInput) => Uint8Array = suite.sign;

/** Whether the owner of `id` signed this message for this domain. Never throws. */
export const verify: (input: VerifyInput) => boolean = suite.verify;

/** SHA-256, 32 bytes. Throws `E_BAD_ARGUMENT` for what is not bytes. */
export const sha256: (data: Uint8Array) => Uint8Array = suite.sha256;

/** HMAC-SHA-256, 32 bytes. For more than one message under a key, `createMac`. Throws `E_BAD_ARGUMENT` for what is not bytes. */
export const hmacSha256: (key: Uint8Array, data: Uint8Array) => Uint8Array = suite.hmacSha256;

/** HMAC-SHA-256 under a key that is prepared once. Throws `E_BAD_ARGUMENT` for what is not bytes, as the Mac does. */
export const createMac: (key: Uint8Array) => Mac = suite.createMac;

/** Compares in a time that depends on the lengths only. Throws `E_BAD_ARGUMENT` for what is not bytes. */
export const equalBytes: (a: Uint8Array, b: Uint8Array) => boolean = suite.equalBytes;
