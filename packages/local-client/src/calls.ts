import { createJSONRPCNotification, createJSONRPCRequest } from "json-rpc-2.0";
import * as z from "zod/mini";
import { LocalClientError, type LocalErrorCode } from "./errors.ts";
import type { Transport } from "./transport.ts";

// The client's half of JSON-RPC: requests out, answers matched to them by id.

const failed = z.object({ message: z.string(), data: z.optional(z.object({ code: z.string() })) });

export type CallOptions<Result> = {
  readonly result: z.ZodMiniType<Result>;
  readonly signal?: AbortSignal | undefined;
  /** Runs as the answer comes in, before anything behind it on the line is looked at. */
  readonly onResult?: (result: Result) => void;
};

type Pending = {
  readonly succeed: (result: unknown) => void;
  readonly fail: (error: LocalClientError) => void;
};

export class Calls {
  readonly #transport: Transport;
  // BOUNDED: by the program's own calls.
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #closed: LocalClientError | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  call<Result>(method: string, params: object | undefined, options: CallOptions<Result>): Promise<Result> {
    const { result: schema, signal, onResult } = options;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#pending.delete(id);
        signal?.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        settle();
        this.#transport.send(JSON.stringify(createJSONRPCNotification("cancel", { id })));
        reject(aborted(signal));
      };
      this.#pending.set(id, {
        succeed: (value) => {
          settle();
          const read = schema.safeParse(value);
          if (read.success) {
            onResult?.(read.data);
            resolve(read.data);
          } else {
            const message = `the daemon's answer to ${method} is not understood; use a client of its version`;
            reject(new LocalClientError("E_BAD_ANSWER", message, { cause: read.error }));
          }
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      });
      signal?.addEventListener("abort", onAbort);
      this.#transport.send(JSON.stringify(createJSONRPCRequest(id, method, params)));
    });
  }

  /**
   * An answer from the daemon; one that belongs to no open request (it was aborted) is passed over. What it says of the connection as
   * a whole is returned.
   */
  receive(value: unknown): LocalClientError | undefined {
    if (typeof value !== "object" || value === null || !("id" in value)) return undefined;
    const pending = typeof value.id === "number" ? this.#pending.get(value.id) : undefined;
    if (pending !== undefined && "result" in value) {
      pending.succeed(value.result);
      return undefined;
    }
    const error = readFailure(value);
    if (error !== undefined) pending?.fail(error);
    return value.id === null ? error : undefined;
  }

  /** Everything that is open, and whatever is called later, fails with this. */
  close(error: LocalClientError): void {
    this.#closed ??= error;
    for (const { fail } of [...this.#pending.values()]) fail(error);
  }
}

/** The error that an answer holds; undefined where it is none. */
export function readFailure(answer: object): LocalClientError | undefined {
  const read = failed.safeParse("error" in answer ? answer.error : undefined);
  if (!read.success) return undefined;
  const { message, data } = read.data;
  // The list of codes is open: a newer daemon may have more.
  return new LocalClientError((data?.code ?? "E_INTERNAL") as LocalErrorCode, message);
}

export function aborted(signal: AbortSignal | undefined): LocalClientError {
  return new LocalClientError("E_ABORTED", "the program aborted the request", { cause: signal?.reason });
}
