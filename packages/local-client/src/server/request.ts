import { createJSONRPCErrorResponse, createJSONRPCSuccessResponse, type JSONRPCResponse } from "json-rpc-2.0";
import { type LocalClientError, rpcNumber } from "../errors.ts";
import { cancelParams } from "../requests.ts";

// The shapes of JSON-RPC 2.0 §4 and §5, as a server reads and writes them. What it reads is untrusted.

export type RequestId = string | number;

export type Request = {
  readonly method: string;
  readonly params?: unknown;
  /** Absent in a notification, which gets no answer. */
  readonly id?: RequestId | undefined;
};

const ID_MAX_CHARACTERS = 256;
const METHOD_MAX_CHARACTERS = 64;

/** undefined where it is no request. */
export function readRequest(value: unknown): Request | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { jsonrpc, method, params, id } = value as Record<string, unknown>;
  if (jsonrpc !== "2.0" || typeof method !== "string" || method.length > METHOD_MAX_CHARACTERS) return undefined;
  return isId(id) ? { method, params, id } : undefined;
}

function isId(id: unknown): id is RequestId | undefined {
  return id === undefined || Number.isFinite(id) || (typeof id === "string" && id.length <= ID_MAX_CHARACTERS);
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
