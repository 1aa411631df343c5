// A check of STUN messages before werift sees them: werift answers Binding requests that carry no MESSAGE-INTEGRITY, which
// makes every channel a reflector, and takes their source for a candidate. Pure; every byte here is untrusted.
//
//   0 type u16 | 2 length u16 of what follows the header | 4 cookie 0x2112A442 | 8 transaction id (12) | 20 attributes
//   attribute: type u16 | length u16 | value, padded to 4
//
// RFC 8489 §5, §14.5: MESSAGE-INTEGRITY (20) is an HMAC-SHA-1 over everything before it, the header's length counting up to
// its own end. After it only FINGERPRINT may follow, for what follows is not authenticated.
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";

const HEADER_BYTES = 20;
const COOKIE = 0x2112a442;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const FINGERPRINT = 0x8028;
const INTEGRITY_BYTES = 20;
const TYPES = new Map<number, "request" | "response">([
  [0x0001, "request"],
  [0x0101, "response"],
  [0x0111, "response"],
]);

export type StunView = {
  readonly kind: "request" | "response";
  /** In hex, as werift keys its transactions. */
  readonly transactionId: string;
  readonly username: string | undefined;
  /** Where MESSAGE-INTEGRITY begins. */
  readonly integrityOffset: number | undefined;
};

/** Undefined for what is no well-formed Binding request, success or error response. */
export function viewStun(data: Buffer): StunView | undefined {
  if (data.length < HEADER_BYTES || data.readUInt32BE(4) !== COOKIE) return undefined;
  const kind = TYPES.get(data.readUInt16BE(0));
  const length = data.readUInt16BE(2);
  if (kind === undefined || length % 4 !== 0 || HEADER_BYTES + length !== data.length) return undefined;
  let username: string | undefined;
  let integrityOffset: number | undefined;
  for (let at = HEADER_BYTES; at < data.length; ) {
    if (at + 4 > data.length) return undefined;
    const type = data.readUInt16BE(at);
    const size = data.readUInt16BE(at + 2);
    const end = at + 4 + Math.ceil(size / 4) * 4;
    if (end > data.length) return undefined;
    if (integrityOffset !== undefined && (type !== FINGERPRINT || end !== data.length)) return undefined;
    if (type === USERNAME) {
      if (username !== undefined) return undefined;
      username = data.toString("latin1", at + 4, at + 4 + size);
    }
    if (type === MESSAGE_INTEGRITY) {
      if (size !== INTEGRITY_BYTES) return undefined;
      integrityOffset = at;
    }
    at = end;
  }
  return { kind, transactionId: data.toString("hex", 8, HEADER_BYTES), username, integrityOffset };
}

/** Does the message carry a MESSAGE-INTEGRITY made with this key (the password of whoever is to answer)? */
export function hasIntegrity(data: Buffer, view: StunView, key: KeyObject): boolean {
  const at = view.integrityOffset;
  if (at === undefined) return false;
  const header = Buffer.from(data.subarray(0, 4));
  header.writeUInt16BE(at - HEADER_BYTES + 4 + INTEGRITY_BYTES, 2);
  const mac = createHmac("sha1", key).update(header).update(data.subarray(4, at)).digest();
  return timingSafeEqual(mac, data.subarray(at + 4, at + 4 + INTEGRITY_BYTES));
}
