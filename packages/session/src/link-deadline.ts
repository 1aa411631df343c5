import { HEAL_AFTER_MS, HEAL_INTERVAL_MS } from "./limits.ts";
import type { Link } from "./link.ts";

/** Whether the link has a reason to send a Hello once its last one is long enough ago: new keys, or a peer that fell silent. */
export function helloDueMono(link: Link, rekeyAfterMessages: number): number {
  const dueMono = Math.min(
    link.current.rekeyMono(rekeyAfterMessages),
    link.sender.waitingSinceMono + HEAL_AFTER_MS,
    link.isUnheard ? link.current.establishedMono + HEAL_INTERVAL_MS : Number.POSITIVE_INFINITY,
    link.isSilent || link.liveness.isProbing ? link.nextHelloMono : Number.POSITIVE_INFINITY,
  );
  return Math.max(dueMono, link.nextHelloMono);
}

/** When the link needs a tick or a flush, asked after a flush: what could leave has left. */
export function linkDeadlineMono(
  link: Link,
  nowMono: number,
  options: { readonly isDialing: boolean; readonly rekeyAfterMessages: number },
): number {
  const dueMono = Math.min(
    link.liveness.nextMono(link.isHurried),
    link.oldestExpiryMono(),
    link.reassembly.nextDeadlineMono(),
    options.isDialing ? Number.POSITIVE_INFINITY : helloDueMono(link, options.rekeyAfterMessages),
    outputDueMono(link, nowMono),
  );
  return Math.max(dueMono, nowMono);
}

function outputDueMono(link: Link, nowMono: number): number {
  const dueMono = Math.min(
    link.sender.dueMono(nowMono),
    link.receiver.ackDueMono,
    link.unreliable.length > 0 ? nowMono : Number.POSITIVE_INFINITY,
  );
  if (dueMono > nowMono) return dueMono;
  // It was due and stayed: the pace holds it back, or the allowance of an unproved address, which only its own datagrams raise.
  return link.path.isValidated ? Math.max(dueMono, link.pacer.readyMono()) : Number.POSITIVE_INFINITY;
}
