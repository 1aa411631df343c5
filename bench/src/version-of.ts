import { readFileSync } from "node:fs";

const BENCH = new URL("../", import.meta.url);

/** "msgpackr 2.1.4", as it is installed in this folder: for a dependency of this package, or of bench/peers. */
export function versionOf(name: string, folder: URL = BENCH): string {
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, folder), "utf8"));
  return `${name} ${version}`;
}
