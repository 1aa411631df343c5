import type { NodeId } from "@starling/crypto-identity";

export type SentPublish = { readonly peer: NodeId; readonly shortId: string };

/** Names each Publish to the session that carries it. The tokens of the forwarder are positive, these are negative. */
export class PublishTokens {
  // BOUNDED: what the sessions hold unacknowledged; each ends acknowledged or handed back, at the latest when its link ends.
  readonly #sent = new Map<number, SentPublish>();
  #last = 0;

  add(sent: SentPublish): number {
    this.#last -= 1;
    this.#sent.set(this.#last, sent);
    return this.#last;
  }

  /** The Publish of this token, once; undefined where it is none of ours. */
  take(token: number): SentPublish | undefined {
    const sent = this.#sent.get(token);
    this.#sent.delete(token);
    return sent;
  }
}
