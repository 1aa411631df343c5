import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";

/**
 * What stands between a host and the network, by what it keeps of a datagram's other end (RFC 4787): `none` a public address;
 * `full` one mapping, open to all; `addr`, `port` one mapping, open to who was sent to (by address, by address and port); `sym` a
 * mapping for each destination, open to that one; `udpblock` lets no UDP through.
 */
export type NatKind = "none" | "full" | "addr" | "port" | "sym" | "udpblock";

/** A mapping that nothing was sent through for this long is gone, the least that RFC 4787 lets a NAT do is 2 min; many do 30 s. */
const NAT_LIFETIME_MS = 30_000;
const FIRST_PORT = 20_000;
const PORTS = 40_000;
const SWEEP_ABOVE = 64;

type Mapping = { readonly port: number; readonly key: string; usedMs: number; readonly sentToMs: Map<string, number> };

/** One box with one host behind it. */
export class Nat {
  readonly #kind: Exclude<NatKind, "none">;
  readonly #byKey = new Map<string, Mapping>();
  readonly #byPort = new Map<number, Mapping>();
  #nextPort: number;

  constructor(kind: Exclude<NatKind, "none">, firstPort: number) {
    this.#kind = kind;
    this.#nextPort = firstPort % PORTS;
  }

  /** The public port from which a datagram to `to` leaves; undefined where it does not. */
  outbound(to: Address, nowMs: number): number | undefined {
    if (this.#kind === "udpblock") return undefined;
    const key = this.#kind === "sym" ? formatAddress(to) : "";
    let mapping = this.#byKey.get(key);
    if (mapping !== undefined && mapping.usedMs + NAT_LIFETIME_MS < nowMs) {
      this.#drop(mapping);
      mapping = undefined;
    }
    if (mapping === undefined) {
      this.#sweep(nowMs);
      this.#nextPort = (this.#nextPort + 1) % PORTS;
      mapping = { port: FIRST_PORT + this.#nextPort, key, usedMs: nowMs, sentToMs: new Map() };
      this.#byKey.set(key, mapping);
      this.#byPort.set(mapping.port, mapping);
    }
    mapping.usedMs = nowMs;
    if (this.#kind !== "full") mapping.sentToMs.set(this.#filterKey(to), nowMs);
    return mapping.port;
  }

  /** Whether a datagram from `from` to this public port comes through. */
  admits(port: number, from: Address, nowMs: number): boolean {
    const mapping = this.#byPort.get(port);
    if (mapping === undefined || mapping.usedMs + NAT_LIFETIME_MS < nowMs) return false;
    if (this.#kind === "full") return true;
    const sentMs = mapping.sentToMs.get(this.#filterKey(from));
    return sentMs !== undefined && sentMs + NAT_LIFETIME_MS >= nowMs;
  }

  #filterKey(address: Address): string {
    return this.#kind === "addr" ? address.ip : formatAddress(address);
  }

  #sweep(nowMs: number): void {
    if (this.#byKey.size < SWEEP_ABOVE) return;
    for (const mapping of this.#byKey.values()) if (mapping.usedMs + NAT_LIFETIME_MS < nowMs) this.#drop(mapping);
  }

  #drop(mapping: Mapping): void {
    this.#byKey.delete(mapping.key);
    this.#byPort.delete(mapping.port);
  }
}
