import { isIP } from "node:net";
import { RtcError } from "./errors.ts";
import { MESSAGE_MAX_BYTES } from "./framing.ts";
import type { RtcHubOptions } from "./rtc-hub.ts";

const NUMBERS = ["maxChannels", "maxDials", "gatherMs", "openTimeoutMs", "maxMessageBytes", "maxPartsBytes"] as const;
const NUMBER_MAX = 2 ** 30;

/** Throws `E_BAD_OPTION` for addresses that are no ip literals and numbers out of range. */
export function checkOptions(options: RtcHubOptions): void {
  for (const name of NUMBERS) {
    const value = options[name] ?? 0;
    const max = name === "maxMessageBytes" ? MESSAGE_MAX_BYTES : NUMBER_MAX;
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new RtcError("E_BAD_OPTION", `${name} has to be a whole number up to ${max}, not ${value}`);
    }
  }
  const { bindAddresses = [], iceServers = [] } = options;
  // Those of a function are its own care: an address that is none is never asked.
  const servers = typeof iceServers === "function" ? [] : iceServers;
  const bad = [...bindAddresses, ...servers.map(({ ip }) => ip)].find((ip) => isIP(ip) === 0);
  if (bad !== undefined) {
    throw new RtcError("E_BAD_OPTION", `'${bad.slice(0, 64)}' is no ip address: names are never looked up here`);
  }
}
