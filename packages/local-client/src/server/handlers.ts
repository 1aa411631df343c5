import type { NodeInfo, NodeStatus, PeerInfo, Receipt, SubmitRequest } from "../protocol.ts";

/**
 * What a daemon does for local programs. A handler fails by throwing a `LocalClientError`, whose code and message go to the
 * program; anything else that it throws is a fault of the daemon, reported to `onFault` and answered `E_INTERNAL`.
 */
export type LocalHandlers = {
  info(): NodeInfo;
  status(): NodeStatus;
  peers(): readonly PeerInfo[];
  /** `signal` aborts when the program cancels, or is gone. */
  submit(request: SubmitRequest, signal: AbortSignal): Promise<Receipt>;
};
