// Which DTLS records reach werift (RFC 6347 §4.1). werift acts on records that nobody has authenticated: a plaintext alert or an
// unknown content type closes a channel, a plaintext ClientHello resets one. So, of what is not encrypted, only the handshake
// passes, only until it is done; a peer that lost our last flight repeats its own, and the encrypted Finished at its end, which
// passes always, is what makes us repeat ours. Alerts never pass: the caller decrypts those of epoch 1 itself. Pure.
//
//   record: 0 type u8 | 1 version u16 | 3 epoch u16 | 5 sequence number u48 | 11 length u16 | 13 fragment
//   handshake fragment: 0 message type u8 | 1 length u24 | 4 message number u16 | 6 fragment offset u24 | 9 fragment length u24
export const RECORD_HEADER_BYTES = 13;
const HANDSHAKE_HEADER_BYTES = 12;
/** Explicit nonce 8 + tag 16 of AES-GCM. */
const SEALED_OVERHEAD_BYTES = 24;
/** No handshake message of a self-signed certificate is nearly as long; werift allocates what the field says. */
const HANDSHAKE_MESSAGE_MAX_BYTES = 16_384;
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
const FINISHED = 20;

export type ScreenedDtls = {
  /** The records that may pass, together again as a datagram; undefined where there is none. */
  readonly passed: Buffer | undefined;
  /** Whole alert records of epoch 1, not decrypted yet. */
  readonly alerts: readonly Buffer[];
  /** Records left out. */
  readonly dropped: number;
};

export function screenDtls(data: Buffer, isConnected: boolean): ScreenedDtls {
  const passed: Buffer[] = [];
  const alerts: Buffer[] = [];
  let dropped = 0;
  let at = 0;
  while (at < data.length) {
    const end =
      at + RECORD_HEADER_BYTES <= data.length ? at + RECORD_HEADER_BYTES + data.readUInt16BE(at + 11) : Infinity;
    if (end > data.length) {
      dropped += 1;
      break;
    }
    const record = data.subarray(at, end);
    const verdict = judge(record, isConnected);
    if (verdict === "pass") passed.push(record);
    else if (verdict === "alert") alerts.push(record);
    else dropped += 1;
    at = end;
  }
  if (dropped === 0 && alerts.length === 0) return { passed: passed.length > 0 ? data : undefined, alerts, dropped };
  return { passed: passed.length > 0 ? Buffer.concat(passed) : undefined, alerts, dropped };
}

function judge(record: Buffer, isConnected: boolean): "pass" | "alert" | "drop" {
  const type = record.readUInt8(0);
  const version = record.readUInt16BE(1);
  const epoch = record.readUInt16BE(3);
  // 1.0 and 1.2; 1.1 was never given out.
  if (version !== 0xfeff && version !== 0xfefd) return "drop";
  if (epoch === 0) {
    if (isConnected) return "drop";
    if (type === CHANGE_CIPHER_SPEC) return record.length === RECORD_HEADER_BYTES + 1 ? "pass" : "drop";
    return type === HANDSHAKE && isPlainHandshake(record.subarray(RECORD_HEADER_BYTES)) ? "pass" : "drop";
  }
  if (epoch !== 1 || record.length < RECORD_HEADER_BYTES + SEALED_OVERHEAD_BYTES) return "drop";
  if (type === ALERT) return "alert";
  return type === HANDSHAKE || type === APPLICATION_DATA ? "pass" : "drop";
}

/** Whole headers, sane lengths, and no Finished: that one is always encrypted. */
function isPlainHandshake(fragment: Buffer): boolean {
  let at = 0;
  while (at < fragment.length) {
    if (at + HANDSHAKE_HEADER_BYTES > fragment.length) return false;
    const length = fragment.readUIntBE(at + 1, 3);
    const offset = fragment.readUIntBE(at + 6, 3);
    const size = fragment.readUIntBE(at + 9, 3);
    if (fragment.readUInt8(at) === FINISHED || length > HANDSHAKE_MESSAGE_MAX_BYTES) return false;
    if (offset + size > length || at + HANDSHAKE_HEADER_BYTES + size > fragment.length) return false;
    at += HANDSHAKE_HEADER_BYTES + size;
  }
  return fragment.length > 0;
}
