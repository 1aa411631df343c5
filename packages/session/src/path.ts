import type { Address } from "@starling/wire-protocol";
import { UNVALIDATED_FACTOR } from "./limits.ts";

/** What ip and UDP add to a datagram. Without it many small answers to one large datagram would be more than they seem. */
const HEADERS_4_BYTES = 28;
const HEADERS_6_BYTES = 48;

/**
 * Where a link's datagrams go. An address that the peer moved to gets at most three times what came from it until it has
 * echoed a Ping: else a copied datagram with a forged source would turn a link into a flood against a bystander
 * (PROTOCOL §3.4; RFC 9000 §9.3).
 */
export class Path {
  readonly address: Address;
  readonly #headersBytes: number;
  #isValidated: boolean;
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(address: Address, isValidated: boolean) {
    this.address = address;
    this.#headersBytes = address.ip.includes(":") ? HEADERS_6_BYTES : HEADERS_4_BYTES;
    this.#isValidated = isValidated;
  }

  get isValidated(): boolean {
    return this.#isValidated;
  }

  validate(): void {
    this.#isValidated = true;
  }

  received(sizeBytes: number): void {
    this.#receivedBytes += sizeBytes + this.#headersBytes;
  }

  sent(sizeBytes: number): void {
    this.#sentBytes += sizeBytes + this.#headersBytes;
  }

  /** How large a datagram may go there now. */
  roomBytes(): number {
    if (this.#isValidated) return Number.POSITIVE_INFINITY;
    return UNVALIDATED_FACTOR * this.#receivedBytes - this.#sentBytes - this.#headersBytes;
  }
}
