import { createJSONRPCErrorResponse, createJSONRPCSuccessResponse, type JSONRPCResponse } from "json-rpc-2.0";
import * as z from "zod/mini";
import { type LocalClientError, rpcNumber } from "../errors.ts";
import { cancelParams } from "../protocol.ts";

// The shapes of JSON-RPC 2.0 §4 and §5, as a server reads and writes them. What it reads is untrusted.

export type RequestId = string | number;

export type Request = {
  readonly method: string;
  readonly params?: unknown;
  /** Absent in a notification, which gets no answer. */
  readonly id?: RequestId | undefined;
};

const id = z.union([z.string().check(z.maxLength(256)), z.number()]);
const request: z.ZodMiniType<Request> = z.object({
  jsonrpc: z.literal("2.0"),
  method: z.string().check(z.maxLength(64)),
  params: z.optional(z.unknown()),
  id: z.optional(id),
});

/** undefined where it is no request. */
export function readRequest(value: unknown): Request | undefined {
  const read = request.safeParse(value);
  return read.success ? read.data : undefined;
}

/** Which open request a `cancel` means, or undefined where the request is none. */
export function readCancel({ method, params }: Request): RequestId | undefined {
  const read = method === "cancel" ? cancelParams.safeParse(params) : undefined;
  return read?.success ? read.data.id : undefined;
}

export function success(requestId: RequestId, result: unknown): JSONRPCResponse {
  return createJSONRPCSuccessResponse(requestId, result);
}

export function failure(requestId: RequestId | null, error: LocalClientError): JSONRPCResponse {
  return createJSONRPCErrorResponse(requestId, rpcNumber(error.code), error.message, { code: error.code });
}
