import { isNodeId, type NodeId } from "@starling/crypto-identity";
import {
  type Answer,
  type AskRequest,
  type BroadcastRequest,
  type ConnectRequest,
  type DisconnectRequest,
  LocalClientError,
  type PingRequest,
  type Receipt,
  type ReplyRequest,
  type SubmitRequest,
  type TraceStep,
} from "@starling/local-client/server";
import type { NodeInput, NodeOutput } from "@starling/node-core";
import { type Address, parseAddress } from "@starling/wire-protocol";

type Outcome = Extract<
  NodeOutput,
  { type: "receipt" | "answered" | "broadcast-sent" | "connected" | "traced" | "failed" }
>;
type Success = Exclude<Outcome, { type: "failed" }>;
type Open = { readonly resolve: (outcome: Success) => void; readonly reject: (error: LocalClientError) => void };

/** What local programs have asked of the core and not heard of yet: each has an id, which its outcome carries. */
export class Submissions {
  // BOUNDED: by the core, which refuses more than it holds, and by the requests that a connection may have open.
  readonly #open = new Map<string, Open>();
  readonly #feed: (input: NodeInput) => void;
  readonly #onReceipt: (receipt: Receipt) => void;
  #closed = false;
  #lastNumber = 0;

  /** `onReceipt` hears of those of messages, requests and replies; a ping is none. */
  constructor(feed: (input: NodeInput) => void, onReceipt: (receipt: Receipt) => void) {
    this.#feed = feed;
    this.#onReceipt = onReceipt;
  }

  async submit({ to, messageId, ...message }: SubmitRequest, signal: AbortSignal): Promise<Receipt> {
    const bytes = messageId === undefined ? undefined : new Uint8Array(Buffer.from(messageId, "hex"));
    const submit = { type: "submit", to: nodeId(to), messageId: bytes, ...message } as const;
    return this.#noted(receiptOf(await this.#ask((id) => ({ ...submit, id }), signal)));
  }

  async request({ to, ...message }: AskRequest, signal: AbortSignal): Promise<Answer> {
    const recipient = nodeId(to);
    const outcome = await this.#ask((id) => ({ type: "request", id, to: recipient, via: "any", ...message }), signal);
    if (outcome.type !== "answered") throw unexpected(outcome);
    return { content: outcome.content, receipt: this.#noted(outcome.receipt) };
  }

  async reply({ requestId, content }: ReplyRequest, signal: AbortSignal): Promise<void> {
    this.#noted(receiptOf(await this.#ask((id) => ({ type: "reply", id, requestId, content }), signal)));
  }

  async ping({ to, ...how }: PingRequest, signal: AbortSignal): Promise<Receipt> {
    const recipient = nodeId(to);
    return receiptOf(await this.#ask((id) => ({ type: "ping", id, to: recipient, ...how }), signal));
  }

  async broadcast({ content, topic }: BroadcastRequest): Promise<{ messageId: string }> {
    const outcome = await this.#ask((id) => ({ type: "broadcast", id, content, topic }));
    if (outcome.type !== "broadcast-sent") throw unexpected(outcome);
    return { messageId: outcome.messageId };
  }

  async trace(to: string): Promise<readonly TraceStep[]> {
    const recipient = nodeId(to);
    const outcome = await this.#ask((id) => ({ type: "trace", id, to: recipient }));
    if (outcome.type !== "traced") throw unexpected(outcome);
    return outcome.steps;
  }

  async connect(request: ConnectRequest): Promise<void> {
    const peer = nodeId(request.id);
    const address = request.address === undefined ? undefined : addressOf(request.address);
    await this.#ask((id) => ({ type: "connect", id, peer, address }));
  }

  disconnect({ id, silently }: DisconnectRequest): void {
    this.#feed({ type: silently ? "sever" : "disconnect", peer: nodeId(id) });
  }

  settle(outcome: Outcome): void {
    const open = this.#open.get(outcome.id);
    this.#open.delete(outcome.id);
    if (outcome.type === "failed") open?.reject(new LocalClientError(outcome.code, outcome.message));
    else open?.resolve(outcome);
  }

  /** Fails what is open and what may still come with `E_SHUTTING_DOWN`. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#open.values()) reject(shuttingDown());
    this.#open.clear();
  }

  #noted(receipt: Receipt): Receipt {
    this.#onReceipt(receipt);
    return receipt;
  }

  #ask(input: (id: string) => NodeInput, signal?: AbortSignal): Promise<Success> {
    if (this.#closed) throw shuttingDown();
    this.#lastNumber += 1;
    const id = `program:${this.#lastNumber}`;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      signal?.addEventListener("abort", () => this.#feed({ type: "cancel", id }), { once: true });
      this.#feed(input(id));
    });
  }
}

function nodeId(text: string): NodeId {
  if (isNodeId(text)) return text;
  throw new LocalClientError("E_BAD_ID", "this is no node id: one has 64 lower-case hexadecimal digits");
}

function addressOf(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    const message = `this is no address to send to (${error instanceof Error ? error.message : "not IP:PORT"})`;
    throw new LocalClientError("E_BAD_ADDRESS", message);
  }
}

function receiptOf(outcome: Success): Receipt {
  if (outcome.type !== "receipt") throw unexpected(outcome);
  return outcome.receipt;
}

function unexpected(outcome: Success): Error {
  return new Error(`the core answered with ${outcome.type}`);
}

function shuttingDown(): LocalClientError {
  return new LocalClientError("E_SHUTTING_DOWN", "the daemon is stopping; submit it again once it runs");
}
