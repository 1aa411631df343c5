// docs/LICENCES.md: what is installed with a public package or stands in a bundle, and under which licence.
//   node tools/licences.mjs            fails if the document is not what is installed, or a licence is not one of ALLOWED
//   node tools/licences.mjs --write    writes it
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const document = join(root, "docs/LICENCES.md");
/** Those that let anybody use and pass on what is MIT itself. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Unlicense",
]);

/** Others, each for its reason. MPL-2.0 binds who changes its files; nobody here does, and the document says where they are. */
const ACCEPTED = new Map([["mediabunny", "MPL-2.0"]]);

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const members = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => ({
    folder: join(root, group, name),
    manifest: readManifest(join(root, group, name)),
  })),
);
const memberNames = new Set(members.map(({ manifest }) => manifest.name));
/** The dashboard is private, but its page is in the node's bundle. */
const shipped = members.filter(({ manifest }) => manifest.private !== true || manifest.name === "@starling/dashboard");

function sources(folder) {
  return readdirSync(join(folder, "src"), { recursive: true })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(join(folder, "src", name), "utf8"))
    .join("\n");
}

/** `dependencies`; and of a bundle, whose manifest has none, what its sources import. */
function needed({ folder, manifest }) {
  const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  if (manifest.publishConfig?.bin === undefined) return names;
  const text = sources(folder);
  return [...names, ...Object.keys(manifest.devDependencies ?? {}).filter((name) => text.includes(`from "${name}`))];
}

/** Where Node finds a dependency of the package in this folder. */
function locate(name, folder) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (dirname(at) === at) return undefined;
  }
}

function licenceOf(manifest) {
  const stated = manifest.license ?? manifest.licenses;
  if (typeof stated === "string") return stated;
  return [stated]
    .flat()
    .map((entry) => entry?.type ?? "none stated")
    .join(" OR ");
}

/** name@version → {name, version, licence, for}: `for` are the public packages that bring it. */
const found = new Map();
function walk(name, folder, owner) {
  if (memberNames.has(name)) return;
  const at = locate(name, folder);
  if (at === undefined) return; // an optional dependency for another platform
  const manifest = readManifest(at);
  const key = `${manifest.name}@${manifest.version}`;
  const entry = found.get(key) ?? {
    name: manifest.name,
    version: manifest.version,
    licence: licenceOf(manifest),
    for: new Set(),
  };
  found.set(key, entry);
  if (entry.for.has(owner)) return;
  entry.for.add(owner);
  for (const next of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) walk(next, at, owner);
}
for (const member of shipped) {
  for (const name of needed(member)) walk(name, member.folder, member.manifest.name.replace("@starling/", ""));
}

const rows = [...found.values()].sort((a, b) =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
);
const isAllowed = ({ name, licence }) =>
  ACCEPTED.get(name) === licence ||
  licence
    .replace(/[()]/g, "")
    .split(" OR ")
    .some((one) => ALLOWED.has(one));
const refused = rows.filter((row) => !isAllowed(row));

const count = new Map();
for (const { licence } of rows) count.set(licence, (count.get(licence) ?? 0) + 1);
const counts = [...count].sort(([a], [b]) => (a < b ? -1 : 1)).map(([licence, many]) => `${many} ${licence}`);
const text = `# Licences

Starling is under the [MIT licence](../LICENSE). This is what its public packages bring along; the bundles of \`starling\` and
\`starling-relay\` hold what their packages, and those below them, bring. Written by \`node tools/licences.mjs --write\` out of what is
installed; \`npm run check\` compares, and refuses a licence that is not in that file's list.

mediabunny (MPL-2.0), which werift brings for recording media, is used unchanged; its source is behind the link.

In all: ${counts.join(", ")}.

| dependency | version | licence | comes with |
| --- | --- | --- | --- |
${rows.map((row) => `| [${row.name}](https://www.npmjs.com/package/${row.name}) | ${row.version} | ${row.licence} | ${[...row.for].sort().join(", ")} |`).join("\n")}
`;

for (const { name, version, licence } of refused)
  console.error(`${name}@${version}: the licence '${licence}' is not one of those allowed`);
if (process.argv.includes("--write")) writeFileSync(document, text);
const isCurrent = existsSync(document) && readFileSync(document, "utf8") === text;
if (!isCurrent) console.error("docs/LICENCES.md is not what is installed: node tools/licences.mjs --write");
process.exit(isCurrent && refused.length === 0 ? 0 : 1);
