import type { Now } from "@starling/peer-manager";

// The exact set of (sender, messageId) that this node has acknowledged, PROTOCOL §7.3. A key is kept until wall time is 60 s
// past the message's expiry and 11 minutes of monotonic time have gone since it was written here: a stepped clock alone
// forgets nothing.

const AFTER_EXPIRY_MS = 60_000;
const AT_LEAST_MONO_MS = 660_000;
const PURGE_EVERY_MS = 10_000;
// BOUNDED: at the cap nothing is forgotten; what is new is refused with `full` until keys have run out. A sender may have as many as
// are left free, so that one whose Directs cost it nothing cannot have all others refused.
const KEYS_MAX = 262_144;

type Entry = { readonly expiresMs: number; readonly keepUntilMono: number };

export class DeliveredSet {
  readonly #keys = new Map<string, Entry>();
  /** How many of them are each sender's. BOUNDED: by the keys. */
  readonly #bySender = new Map<string, number>();
  #purgeDueMono: number;

  constructor(restored: readonly { readonly key: string; readonly expiresMs: number }[], now: Now) {
    for (const { key, expiresMs } of restored) this.add(key, expiresMs, now);
    this.#purgeDueMono = now.mono + PURGE_EVERY_MS;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Whether this key may be added later, beside as many that are being written. */
  hasRoom(key: string, reserved: number): boolean {
    return (this.#bySender.get(senderOf(key)) ?? 0) < KEYS_MAX - this.#keys.size - reserved;
  }

  add(key: string, expiresMs: number, now: Now): void {
    if (!this.#keys.has(key)) this.#count(key, 1);
    this.#keys.set(key, { expiresMs, keepUntilMono: now.mono + AT_LEAST_MONO_MS });
  }

  purge(now: Now): void {
    if (now.mono < this.#purgeDueMono) return;
    this.#purgeDueMono = now.mono + PURGE_EVERY_MS;
    for (const [key, entry] of this.#keys) {
      // Keys stand in the order in which they were written: behind the first young one all are young.
      if (now.mono < entry.keepUntilMono) return;
      if (now.wall <= entry.expiresMs + AFTER_EXPIRY_MS) continue;
      this.#keys.delete(key);
      this.#count(key, -1);
    }
  }

  nextDeadline(): number | null {
    return this.#keys.size === 0 ? null : this.#purgeDueMono;
  }

  #count(key: string, change: number): void {
    const sender = senderOf(key);
    const count = (this.#bySender.get(sender) ?? 0) + change;
    if (count === 0) this.#bySender.delete(sender);
    else this.#bySender.set(sender, count);
  }
}

function senderOf(key: string): string {
  return key.slice(0, key.indexOf(":"));
}
