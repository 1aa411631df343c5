import { readFileSync } from "node:fs";
import { bundled } from "./bundled.ts";

/** The version in package.json, which lies beside src and dist alike; a bundle has its own. */
export function readVersion(): string {
  if (bundled !== undefined) return bundled.version;
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : "";
  return String(version);
}
