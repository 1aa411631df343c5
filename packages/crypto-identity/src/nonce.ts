const NONCE_BYTES = 12;
const nonce: Uint8Array = new Uint8Array(NONCE_BYTES);

/**
 * The AES-GCM nonce of a counter (Noise §12.3):
 *
 *   0   4   zeros
 *   4   8   counter, big-endian
 *
 * The caller has made sure that `counter` is a safe integer and not negative. What is given back is good until the next
 * call.
 */
export function counterNonce(counter: number): Uint8Array {
  const high = Math.floor(counter / 0x1_0000_0000);
  const low = counter >>> 0;
  nonce[4] = high >>> 24;
  nonce[5] = high >>> 16;
  nonce[6] = high >>> 8;
  nonce[7] = high;
  nonce[8] = low >>> 24;
  nonce[9] = low >>> 16;
  nonce[10] = low >>> 8;
  nonce[11] = low;
  return nonce;
}
