import type { SessionInfo } from "./event.ts";
import type { Link } from "./link.ts";

export function infoOf(link: Link): SessionInfo {
  const { peer, path, liveness, sinceMono, current, queuedBytes } = link;
  return {
    peer,
    address: path.address,
    rttMs: liveness.rttMs,
    sinceMono,
    initiator: current.isInitiator,
    lastHeardMono: liveness.lastHeardMono,
    queuedBytes,
  };
}
