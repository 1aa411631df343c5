import type { NodeId } from "@starling/crypto-identity";
import type { UdpError } from "./errors.ts";

export type Waiting<T> = { readonly resolve: (value: T) => void; readonly reject: (error: UdpError) => void };

type Sent = Waiting<void> & { readonly peer: NodeId };

/** Messages that were handed over and are neither acknowledged nor handed back, and who waits for them to become fewer. */
export class Outstanding {
  // BOUNDED: by the session's limit of queued frames, a link.
  readonly #sent: Map<number, Sent> = new Map();
  readonly #counts: Map<NodeId, number> = new Map();
  // BOUNDED: by the calls of the program itself.
  #waiters: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];
  #nextToken = 0;

  countOf(peer: NodeId): number {
    return this.#counts.get(peer) ?? 0;
  }

  nextToken(): number {
    this.#nextToken += 1;
    return this.#nextToken;
  }

  add(token: number, sent: Sent): void {
    this.#sent.set(token, sent);
    this.#counts.set(sent.peer, this.countOf(sent.peer) + 1);
  }

  take(token: number): Waiting<void> | undefined {
    const sent = this.#sent.get(token);
    if (sent === undefined) return undefined;
    this.#sent.delete(token);
    const left = this.countOf(sent.peer) - 1;
    if (left > 0) this.#counts.set(sent.peer, left);
    else this.#counts.delete(sent.peer);
    return sent;
  }

  rejectAll(error: UdpError): void {
    for (const sent of this.#sent.values()) sent.reject(error);
    this.#sent.clear();
    this.#counts.clear();
  }

  /** Resolves when it is over, which is asked now and whenever `check` is called. */
  wait(isOver: () => boolean): Promise<void> {
    if (isOver()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isOver, resolve }));
  }

  check(): void {
    if (this.#waiters.length === 0) return;
    const over = this.#waiters.filter(({ isOver }) => isOver());
    if (over.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter));
    for (const { resolve } of over) resolve();
  }
}
