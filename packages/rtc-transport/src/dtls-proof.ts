// Does the other end of a DTLS handshake hold the key of the certificate it showed? werift 0.25.2 takes the two signatures that
// say so (RFC 5246 §7.4.3 and §7.4.8) without a look, so that whoever has seen a certificate could pass for its owner, with the
// right fingerprint. Checked here, once the handshake is through, against the keys that werift has come to use.
//
//   ServerKeyExchange: 0 curve type u8 (3) | 1 curve u16 | 3 key length u8 | 4 key | scheme u16 | signature length u16 | signature
//                      signs: client random (32) | server random (32) | everything before the scheme
//   CertificateVerify: 0 scheme u16 | 2 signature length u16 | 4 signature; signs the transcript before it
//   ClientKeyExchange: 0 key length u8 | 1 key
import { type KeyObject, verify, X509Certificate } from "node:crypto";
import type { DtlsSocket } from "./werift.ts";

const CLIENT_KEY_EXCHANGE = 16;
const CERTIFICATE_VERIFY = 15;
/** ecdsa_secp256r1_sha256 and rsa_pkcs1_sha256: what werift offers. */
const SCHEMES: ReadonlyMap<number, "ec" | "rsa"> = new Map([
  [0x0403, "ec"],
  [0x0401, "rsa"],
]);

/** For the client: has the server signed the key that the secret was agreed with? `keyExchange` is what it sent, untrusted. */
export function provesServer(socket: DtlsSocket, keyExchange: Buffer | undefined): boolean {
  const { localRandom, remoteRandom, remoteKeyPair } = socket.cipher;
  if (keyExchange === undefined || localRandom === undefined || remoteRandom === undefined) return false;
  if (keyExchange.length < 4) return false;
  const end = 4 + keyExchange.readUInt8(3);
  if (end > keyExchange.length || !isSame(remoteKeyPair?.publicKey, keyExchange.subarray(4, end))) return false;
  const signed = Buffer.concat([localRandom.serialize(), remoteRandom.serialize(), keyExchange.subarray(0, end)]);
  return isSigned(socket, signed, keyExchange.subarray(end));
}

/** For the server: has the client signed the handshake, in which it named the key that the secret was agreed with? */
export function provesClient(socket: DtlsSocket): boolean {
  const transcript = socket.dtls.sortedHandshakeCache;
  const at = transcript.findIndex(({ msg_type }) => msg_type === CERTIFICATE_VERIFY);
  const proof = transcript[at]?.fragment;
  const before = transcript.slice(0, Math.max(0, at));
  const key = before.find(({ msg_type }) => msg_type === CLIENT_KEY_EXCHANGE)?.fragment;
  if (proof === undefined || key === undefined || key[0] !== key.length - 1) return false;
  if (!isSame(socket.cipher.remoteKeyPair?.publicKey, key.subarray(1))) return false;
  return isSigned(socket, Buffer.concat(before.map((message) => message.serialize())), proof);
}

/** `proof` is scheme, length and signature, and nothing after. */
function isSigned(socket: DtlsSocket, signed: Buffer, proof: Buffer): boolean {
  if (proof.length < 4 || proof.length !== 4 + proof.readUInt16BE(2)) return false;
  const key = publicKeyOf(socket.remoteCertificate);
  if (key === undefined || key.asymmetricKeyType !== SCHEMES.get(proof.readUInt16BE(0))) return false;
  try {
    return verify("sha256", signed, key, proof.subarray(4));
  } catch {
    return false;
  }
}

function publicKeyOf(certificate: Uint8Array | undefined): KeyObject | undefined {
  if (certificate === undefined) return undefined;
  try {
    return new X509Certificate(certificate).publicKey;
  } catch {
    return undefined;
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
