import type { InboxEntry } from "@starling/node-core";

/** What a node's inbox journal holds over a restart: entries not handed out, and the keys of all that were written. */
export class Disk {
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
