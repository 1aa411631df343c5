// As much of STUN (RFC 8489) as asking for one's address takes.
const MAGIC = 0x2112a442;
const XOR_MAPPED_ADDRESS = 0x0020;

/** A Binding request, 20 bytes. */
export function stunBindingRequest(transaction: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x0001);
  view.setUint32(4, MAGIC);
  bytes.set(transaction.subarray(0, 12), 8);
  return bytes;
}

/** The address `ip:port` in a Binding success response, if it is one. IPv4 only. */
export function addressInAnswer(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 32 || view.getUint16(0) !== 0x0101 || view.getUint32(4) !== MAGIC) return undefined;
  if (view.getUint16(20) !== XOR_MAPPED_ADDRESS || view.getUint8(25) !== 1) return "";
  const port = view.getUint16(26) ^ (MAGIC >>> 16);
  const ip = view.getUint32(28) ^ MAGIC;
  return `${(ip >>> 24) & 0xff}.${(ip >>> 16) & 0xff}.${(ip >>> 8) & 0xff}.${ip & 0xff}:${port}`;
}
