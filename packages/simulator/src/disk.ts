import type { InboxEntry } from "@starling/node-core";
import type { Contact } from "@starling/wire-protocol";

/** What a node finds again after a restart: entries not handed out, the keys of all that were written, its peers, and the time. */
export class Disk {
  /** What `save-peers` said last. */
  peers: readonly Contact[] = [];
  /** What `save-freshness-bound` said last, and what the machine's clock showed then. */
  freshness: { readonly boundMs: number; readonly wallMs: number } | undefined;
  readonly #entries = new Map<string, InboxEntry>();
  readonly #delivered = new Map<string, number>();

  write(entry: InboxEntry): void {
    this.#entries.set(entry.key, entry);
    this.#delivered.set(entry.key, entry.expiresMs);
  }

  handedOut(key: string): void {
    this.#entries.delete(key);
  }

  /** As the file of the daemons tells it: moved on with the machine's clock. */
  freshnessBoundMs(wallMs: number): number {
    return this.freshness === undefined ? 0 : this.freshness.boundMs + Math.max(0, wallMs - this.freshness.wallMs);
  }

  get waiting(): InboxEntry[] {
    return [...this.#entries.values()];
  }

  get delivered(): { readonly key: string; readonly expiresMs: number }[] {
    return [...this.#delivered].map(([key, expiresMs]) => ({ key, expiresMs }));
  }
}
