import type { SendFailReason } from "@starling/wire-protocol";
import type { Failure, Submission } from "./submission.ts";

// What a program is told of a message that did not arrive; each says what to do instead.

export const NOT_A_NODE: Failure = { code: "E_NOT_A_NODE", message: "this id is a relay's: it has no inbox" };
export const INBOX_FULL: Failure = { code: "E_INBOX_FULL", message: "the recipient's inbox is full" };
export const NO_STAMP: Failure = { code: "E_MINT", message: "no stamp could be minted in time" };
export const STALE: Failure = { code: "E_CLOCK", message: "neighbours call our timestamps stale: check the clock" };
export const CONGESTED: Failure = {
  code: "E_QUOTA",
  message:
    "the network is congested and asked for more work than there was time for; try later, or with a longer timeout",
};
export const CHANNEL_FULL: Failure = {
  code: "E_QUOTA",
  message:
    "the channel to the recipient is full: it takes less than it is handed; wait for receipts before more, or give it a longer timeout",
};

export function noRoute(reason: SendFailReason): Failure {
  const message = `no way to the recipient is known (${reason}); it may be offline or on another network`;
  return { code: "E_NO_ROUTE", message };
}

/** Why a message had no receipt before its deadline. */
export function timeoutOf({ phase, lastFailure, message }: Submission): Failure {
  if (phase.type === "awaiting-reply") {
    return { code: "E_TIMEOUT", message: "delivered, and no reply before the deadline" };
  }
  if (message.via === "channel" && phase.type === "opening") {
    return { code: "E_NO_CHANNEL", message: "no channel to the recipient could be opened in time; use via: any" };
  }
  return lastFailure ?? { code: "E_TIMEOUT", message: "no receipt before the deadline; the recipient may be offline" };
}
