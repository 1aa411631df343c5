import { requireBytes, requireText } from "./arguments.ts";
import { concatBytes } from "./concat-bytes.ts";
import {
  edwardsFromMontgomery,
  GROUP_ORDER,
  integerFromBytes,
  isSmallOrder,
  multiplyBase,
  scalarToBytes,
} from "./edwards.ts";
import type { Identities, Identity } from "./identity.ts";
import { LruMap } from "./lru-map.ts";
import { isNodeId, type NodeId, nodeIdToBytes } from "./node-id.ts";
import type { KeyPair, Primitives, Verifier } from "./primitives.ts";
import { drawRandom, type RandomSource } from "./random.ts";

// XEdDSA signatures by an X25519 key ("The XEdDSA and VXEdDSA Signature Schemes", Perrin, revision 1, §2 and §3; b = 256).
//
//   0    32   R    commitment, an encoded Edwards point
//   32   32   s    little-endian, s < L
//
// What is signed is never the bare message but
//
//   0      2   length n of the domain, big-endian
//   2      n   domain, UTF-8
//   2+n    m   message
//
// so that a signature for one use can be passed off for no other. The public half is the Edwards point of sign 0 that
// belongs to the NodeId's u.
//
// A signature that one node takes and another does not would split a broadcast, so the set that is taken is exactly: the
// point is on the curve, s < L, R is none of the eight points of small order, and R = sB - kA without a cofactor, compared
// as bytes. (The rule on R is here because Node's own verify has it in some versions and not in others.)

/** Size of an XEdDSA signature. */
export const SIGNATURE_BYTES = 64;

const RANDOM_BYTES = 64;
const POINT_BYTES = 32;
const MAX_DOMAIN_BYTES = 255;
const VERIFIERS_CAPACITY = 1024;
const SIGN_BIT = 0x80;
/** hash_1 of XEdDSA §2.5: the hash of 2^256 - 2, little-endian, before the data. */
const NONCE_PREFIX = new Uint8Array(32).fill(0xff).fill(0xfe, 0, 1);

const encoder = new TextEncoder();

/** What is signed, and by whom; `random` gives 64 bytes, so that a signature does not repeat. */
export interface SignInput {
  readonly identity: Identity;
  /** Names the use, e.g. "record". 1 to 255 bytes of UTF-8. */
  readonly domain: string;
  readonly message: Uint8Array;
  readonly random: RandomSource;
}

/** A signature with what it claims to be over; `domain` must be that of the signing. */
export interface VerifyInput {
  readonly id: NodeId;
  readonly domain: string;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Signatures {
  sign(input: SignInput): Uint8Array;
  verify(input: VerifyInput): boolean;
}

interface SigningKey {
  /** a, adjusted so that A has sign 0. */
  readonly scalar: bigint;
  /** A */
  readonly point: Uint8Array;
}

/** XEdDSA §2.3, calculate_key_pair. */
function signingKeyOf(seed: Uint8Array): SigningKey {
  const clamped = Uint8Array.from(seed);
  clamped[0] = (clamped[0] ?? 0) & 0xf8;
  clamped[31] = ((clamped[31] ?? 0) & 0x7f) | 0x40;
  const scalar = integerFromBytes(clamped) % GROUP_ORDER;
  clamped.fill(0);
  const point = multiplyBase(scalar);
  const top = point[31] ?? 0;
  if ((top & SIGN_BIT) === 0) return { scalar, point };
  point[31] = top & ~SIGN_BIT;
  return { scalar: GROUP_ORDER - scalar, point };
}

function frame(domain: Uint8Array, message: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0, domain.length), domain, message);
}

export function createSignatures(primitives: Primitives, identities: Identities): Signatures {
  // By the key pair, which is gone once an identity is forgotten.
  const signingKeys = new WeakMap<KeyPair, SigningKey>();
  // BOUNDED: VERIFIERS_CAPACITY ids that have signed something, the least recently used goes first.
  const verifiers = new LruMap<NodeId, Verifier>(VERIFIERS_CAPACITY);

  function signingKey(identity: Identity): SigningKey {
    const keyPair = identities.keyPairOf(identity);
    let key = signingKeys.get(keyPair);
    if (key === undefined) {
      const seed = identities.seedOf(identity);
      key = signingKeyOf(seed);
      seed.fill(0);
      signingKeys.set(keyPair, key);
    }
    return key;
  }

  function scalarOfHash(...parts: readonly Uint8Array[]): bigint {
    return integerFromBytes(primitives.sha512(concatBytes(...parts))) % GROUP_ORDER;
  }

  return {
    sign({ identity, domain, message, random }) {
      requireBytes("message", message);
      const framed = frame(requireText("domain", domain, MAX_DOMAIN_BYTES, "E_BAD_DOMAIN"), message);
      const { scalar, point } = signingKey(identity);
      const r = scalarOfHash(NONCE_PREFIX, scalarToBytes(scalar), framed, drawRandom(random, RANDOM_BYTES));
      const commitment = multiplyBase(r);
      const s = (r + scalarOfHash(commitment, point, framed) * scalar) % GROUP_ORDER;
      return concatBytes(commitment, scalarToBytes(s));
    },
    verify({ id, domain, message, signature }) {
      if (!isNodeId(id) || typeof domain !== "string" || !(message instanceof Uint8Array)) return false;
      if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) return false;
      if (integerFromBytes(signature.subarray(POINT_BYTES)) >= GROUP_ORDER) return false;
      if (isSmallOrder(signature.subarray(0, POINT_BYTES))) return false;
      const domainBytes = encoder.encode(domain);
      if (domainBytes.length === 0 || domainBytes.length > MAX_DOMAIN_BYTES) return false;
      const framed = frame(domainBytes, message);
      let verifier = verifiers.get(id);
      if (verifier === undefined) {
        const edwards = edwardsFromMontgomery(nodeIdToBytes(id));
        if (edwards === undefined) return false;
        verifier = primitives.createVerifier(edwards);
      }
      const isValid = verifier(framed, signature);
      // An id that has signed nothing displaces none that has.
      if (isValid) verifiers.set(id, verifier);
      return isValid;
    },
  };
}
