import { readFileSync } from "node:fs";

// Written in by bundle.mjs; from the sources and from dist the version is found in package.json, which lies beside both.
declare const STARLING_RELAY_VERSION: string;

/** The version of this program. */
export function readVersion(): string {
  if (typeof STARLING_RELAY_VERSION !== "undefined") return STARLING_RELAY_VERSION;
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "";
  return String(version);
}
