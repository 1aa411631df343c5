// The other end of a channel, in a process that the test kills: answers what comes by IPC.
import type { Description } from "@starling/wire-protocol";
import { decodeDescription, encodeDescription } from "@starling/wire-protocol";
import { LABEL, TestHub } from "../support.ts";

const peer = new TestHub();
peer.onEvent = (event) => {
  if (event.type === "described") process.send?.(Buffer.from(encodeDescription(event.description)).toString("hex"));
};
process.on("message", (hex: string) => {
  const offer = decodeDescription(Buffer.from(hex, "hex"));
  if (offer.ok) peer.hub.accept("c", LABEL, offer.value satisfies Description);
});
