// SCTP by hand (RFC 9260 §3), for what no stack would send.

/** One chunk of this type; `length` is what its header says, true or not. */
export function sctpPacket(tag: number, type: number, value: Buffer, length: number): Buffer {
  const packet = Buffer.alloc(16 + Math.ceil(value.length / 4) * 4);
  packet.writeUInt16BE(5000, 0);
  packet.writeUInt16BE(5000, 2);
  packet.writeUInt32BE(tag, 4);
  packet.writeUInt8(type, 12);
  packet.writeUInt16BE(length, 14);
  value.copy(packet, 16);
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}

/** RFC 9260 appendix A, bit by bit. */
function crc32c(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) * 0x82f63b78);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
