import type { NodeId } from "@starling/crypto-identity";
import type { Submission } from "./submission.ts";

/** What programs have submitted and not heard of yet, oldest first, by each of its names. */
export class Submissions {
  // BOUNDED: open submissions (outgoing-limits.ts), and the attempts that their deadlines allow: each costs its work, and one that is
  // refused for its price costs more each time.
  readonly #byId = new Map<string, Submission>();
  readonly #byEnvelope = new Map<string, Submission>();
  readonly #byMessage = new Map<string, Submission>();

  get size(): number {
    return this.#byId.size;
  }

  /** A list of its own: what is done with one may end it. */
  all(): Submission[] {
    return [...this.#byId.values()];
  }

  values(): IterableIterator<Submission> {
    return this.#byId.values();
  }

  get(id: string): Submission | undefined {
    return this.#byId.get(id);
  }

  /** By the id of an envelope of any of its attempts. */
  ofEnvelope(id: string): Submission | undefined {
    return this.#byEnvelope.get(id);
  }

  /** By its message id, in hex. */
  ofMessage(messageId: string): Submission | undefined {
    return this.#byMessage.get(messageId);
  }

  lookingUp(target: NodeId): Submission[] {
    return this.all().filter(({ phase, message }) => phase.type === "looking-up" && message.to === target);
  }

  add(submission: Submission): void {
    this.#byId.set(submission.message.id, submission);
    this.#byMessage.set(submission.messageId, submission);
  }

  addEnvelope(submission: Submission, id: string): void {
    submission.envelopeIds.push(id);
    this.#byEnvelope.set(id, submission);
  }

  delete({ message, messageId, envelopeIds }: Submission): void {
    this.#byId.delete(message.id);
    this.#byMessage.delete(messageId);
    for (const id of envelopeIds) this.#byEnvelope.delete(id);
  }
}
