import type { Address } from "@starling/wire-protocol";
import { UNVALIDATED_FACTOR } from "./limits.ts";

/**
 * Where a link's datagrams go. An address that the peer moved to gets at most three times what came from it until it has
 * echoed a Ping: else a copied datagram with a forged source would turn a link into a flood against a bystander
 * (PROTOCOL §2; RFC 9000 §9.3).
 */
export class Path {
  readonly address: Address;
  #isValidated: boolean;
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(address: Address, isValidated: boolean) {
    this.address = address;
    this.#isValidated = isValidated;
  }

  get isValidated(): boolean {
    return this.#isValidated;
  }

  validate(): void {
    this.#isValidated = true;
  }

  received(sizeBytes: number): void {
    this.#receivedBytes += sizeBytes;
  }

  sent(sizeBytes: number): void {
    this.#sentBytes += sizeBytes;
  }

  /** How many bytes may go there now. */
  roomBytes(): number {
    if (this.#isValidated) return Number.POSITIVE_INFINITY;
    return UNVALIDATED_FACTOR * this.#receivedBytes - this.#sentBytes;
  }
}
