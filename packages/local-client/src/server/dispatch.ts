import { en } from "zod/locales";
import type * as z from "zod/mini";
import { encodeBase64 } from "../base64.ts";
import { TOO_LARGE } from "../content.ts";
import { LocalClientError } from "../errors.ts";
import { type SubscribeRequest, subscribeParams, unsubscribeParams } from "../events.ts";
import {
  ackParams,
  broadcastParams,
  connectParams,
  disconnectParams,
  noParams,
  pingParams,
  readSubmit,
  replyParams,
  requestParams,
  submitParams,
  traceParams,
} from "../requests.ts";
import type { LocalHandlers } from "./handlers.ts";

/** What a connection keeps by itself. */
export type SubscriptionOwner = {
  subscribe(request: SubscribeRequest): string;
  unsubscribe(subscription: string): boolean;
};

/** Runs one method; throws a `LocalClientError` for what the program did wrong. `method` and `params` are untrusted. */
export async function dispatch(
  method: string,
  params: unknown,
  handlers: LocalHandlers,
  owner: SubscriptionOwner,
  signal: AbortSignal,
): Promise<unknown> {
  switch (method) {
    case "node.info":
      read(noParams, params);
      return handlers.info();
    case "node.status":
      read(noParams, params);
      return handlers.status();
    case "peers.list":
      read(noParams, params);
      return handlers.peers();
    case "links.list":
      read(noParams, params);
      return handlers.links();
    case "message.list":
      read(noParams, params);
      return handlers.openMessages();
    case "message.submit":
      return handlers.submit(readSubmit(params) ?? read(submitParams, params), signal);
    case "message.request": {
      const { content, receipt } = await handlers.request(read(requestParams, params), signal);
      return { content: encodeBase64(content), receipt };
    }
    case "message.reply":
      await handlers.reply(read(replyParams, params), signal);
      return {};
    case "message.broadcast":
      return handlers.broadcast(read(broadcastParams, params));
    case "peers.connect":
      return handlers.connect(read(connectParams, params));
    case "peers.ping":
      return handlers.ping(read(pingParams, params), signal);
    case "peers.disconnect":
      handlers.disconnect(read(disconnectParams, params));
      return {};
    case "trace":
      return { steps: await handlers.trace(read(traceParams, params).to) };
    case "message.ack":
      handlers.ack(read(ackParams, params));
      return {};
    case "subscribe": {
      return { subscription: owner.subscribe(read(subscribeParams, params)) };
    }
    case "unsubscribe": {
      const { subscription } = read(unsubscribeParams, params);
      if (owner.unsubscribe(subscription)) return {};
      throw new LocalClientError("E_NO_SUBSCRIPTION", "this connection has no such subscription");
    }
    default:
      throw new LocalClientError("E_UNKNOWN_METHOD", "no such method; the methods stand in the protocol's table");
  }
}

const { localeError: error } = en();

function read<Value>(schema: z.ZodMiniType<Value>, params: unknown): Value {
  const result = schema.safeParse(params, { error });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? "params" : issue.path.map(String).join(".");
  const what = issue?.message ?? "not valid";
  throw new LocalClientError(what === TOO_LARGE ? "E_TOO_LARGE" : "E_BAD_PARAMS", `${place}: ${what}`);
}
