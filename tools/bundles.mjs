// Makes the programs into their bundles, with the dashboard inside, where a source is newer than they are; what is up to date costs a
// look at some five hundred files.
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BUNDLES = ["apps/node/dist/bundle/starling.js", "apps/relay/dist/bundle/starling-relay.js"];

/** Newest change of a file, or of any file under a folder, in ms; 0 for what is not there. */
function changedMs(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found?.mtimeMs ?? 0;
  // A folder's own time tells of files that are gone.
  return Math.max(found.mtimeMs, ...readdirSync(path).map((name) => changedMs(join(path, name))));
}

const members = ["apps", "packages"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
);
const sources = members.flatMap((member) =>
  ["src", "package.json", "bundle.mjs", "build.ts"].map((name) => join(member, name)),
);
const newestMs = Math.max(...[...sources, join(root, "pnpm-lock.yaml")].map(changedMs));
const madeMs = Math.min(...BUNDLES.map((bundle) => changedMs(join(root, bundle))));

if (newestMs >= madeMs) {
  await import("../apps/dashboard/build.ts");
  await Promise.all([import("../apps/node/bundle.mjs"), import("../apps/relay/bundle.mjs")]);
}
