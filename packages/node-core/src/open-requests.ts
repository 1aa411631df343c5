import type { NodeId } from "@starling/crypto-identity";
import type { InboxEntry } from "./output.ts";

// Requests that a program was handed and has not answered yet: whom a reply goes to.

// BOUNDED: the oldest is forgotten; its asker times out.
const REQUESTS_MAX = 4096;

export type OpenRequest = { readonly from: NodeId; readonly topic: string; readonly expiresMs: number };

export class OpenRequests {
  readonly #requests = new Map<string, OpenRequest>();

  add({ messageId, from, topic, expiresMs }: InboxEntry): void {
    this.#requests.set(messageId, { from, topic, expiresMs });
    const oldest = this.#requests.keys().next();
    if (this.#requests.size > REQUESTS_MAX && !oldest.done) this.#requests.delete(oldest.value);
  }

  /** The request with this id, once; undefined where none is open or its time is over. */
  take(messageId: string, nowWallMs: number): OpenRequest | undefined {
    const request = this.#requests.get(messageId);
    this.#requests.delete(messageId);
    return request !== undefined && request.expiresMs > nowWallMs ? request : undefined;
  }
}
