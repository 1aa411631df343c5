import type { Address } from "@starling/wire-protocol";
import { formatAddress } from "@starling/wire-protocol";
import { scopeOf } from "./scope.ts";

// What an address that somebody merely named may cost its owner, PROTOCOL §6: one dial, that is three Hellos, in 10 minutes. A
// public ip is counted as a whole, whatever ports are named, until something there has answered.

const AGAIN_MS = 600_000;
// BOUNDED: when full, no further address is dialled; none is forgotten early.
const ADDRESSES_MAX = 4096;

export class HearsayBudget {
  readonly #untilMono = new Map<string, number>();

  mayDial(address: Address, nowMono: number): boolean {
    const key = budgetKey(address);
    return key !== undefined && this.mayDialKey(key, nowMono);
  }

  /** As mayDial, of an address whose key was made before. */
  mayDialKey(key: string, nowMono: number): boolean {
    const untilMono = this.#untilMono.get(key);
    if (untilMono !== undefined) return nowMono >= untilMono;
    this.#forgetOld(nowMono);
    return this.#untilMono.size < ADDRESSES_MAX;
  }

  dialled(address: Address, nowMono: number): void {
    const key = budgetKey(address);
    if (key === undefined) return;
    this.#untilMono.delete(key);
    this.#untilMono.set(key, nowMono + AGAIN_MS);
  }

  /** A node lives there: no bystander is harmed. */
  answered(address: Address): void {
    const key = budgetKey(address);
    if (key !== undefined) this.#untilMono.delete(key);
  }

  #forgetOld(nowMono: number): void {
    for (const [key, untilMono] of this.#untilMono) {
      if (untilMono > nowMono) return;
      this.#untilMono.delete(key);
    }
  }
}

/** What an address counts under; undefined for one that is no place to send to. */
export function budgetKey(address: Address): string | undefined {
  const scope = scopeOf(address.ip);
  if (scope === "never") return undefined;
  return scope === "public" ? address.ip : formatAddress(address);
}
