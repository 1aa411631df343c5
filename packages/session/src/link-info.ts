import type { SessionInfo } from "./event.ts";
import type { Link } from "./link.ts";

export function infoOf(link: Link): SessionInfo {
  const { peer, path, liveness, sinceMono, current, sender, queuedBytes, traffic } = link;
  return {
    peer,
    address: path.address,
    isValidated: path.isValidated,
    rttMs: liveness.rttMs,
    sinceMono,
    keysSinceMono: current.establishedMono,
    initiator: current.isInitiator,
    lastHeardMono: liveness.lastHeardMono,
    unackedSinceMono: sender.waitingSinceMono,
    queuedBytes,
    traffic: { ...traffic },
  };
}
