import { bytesToHex, hexToBytes, OFFER_TAG_BYTES } from "@starling/wire-protocol";

/** An Offer is known by the first bytes of its ephemeral key (PROTOCOL §9); in hex. */
export function tagOf(offerMessage: Uint8Array): string {
  return bytesToHex(offerMessage.subarray(0, OFFER_TAG_BYTES));
}

/** The bytes of it. */
export function fromTag(tag: string): Uint8Array {
  return hexToBytes(tag, OFFER_TAG_BYTES) ?? new Uint8Array(OFFER_TAG_BYTES);
}
