import type { InboxEntry } from "@starling/node-core";
import type { Contact } from "@starling/wire-protocol";

/** What a node finds again after a restart: entries not handed out, the keys of all that were written, and its peers. */
export class Disk {
  /** What `save-peers` said last. */
  peers: readonly Contact[] = [];
  readonly #entries = new Map<string, InboxEntry>();
  readonly #delivered = new Map<string, number>();

  write(entry: InboxEntry): void {
    this.#entries.set(entry.key, entry);
    this.#delivered.set(entry.key, entry.expiresMs);
  }

  handedOut(key: string): void {
    this.#entries.delete(key);
  }

  get waiting(): InboxEntry[] {
    return [...this.#entries.values()];
  }

  get delivered(): { readonly key: string; readonly expiresMs: number }[] {
    return [...this.#delivered].map(([key, expiresMs]) => ({ key, expiresMs }));
  }
}
