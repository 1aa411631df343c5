// Every changeset names packages that exist and are published, with a summary for their readers; and a package that was never
// released has one. (`changeset status` itself
// wants a base branch to compare with, which a fresh clone of one commit does not have.)
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const published = new Set();
const unreleased = new Set();
for (const group of ["packages", "apps"]) {
  for (const name of readdirSync(join(root, group))) {
    const manifest = JSON.parse(readFileSync(join(root, group, name, "package.json"), "utf8"));
    if (manifest.private === true) continue;
    published.add(manifest.name);
    if (manifest.version === "0.0.0") unreleased.add(manifest.name);
  }
}

const problems = [];
for (const file of readdirSync(join(root, ".changeset")).filter(
  (name) => name.endsWith(".md") && name !== "README.md",
)) {
  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(readFileSync(join(root, ".changeset", file), "utf8"));
  if (match === null) {
    problems.push(`${file}: no front matter`);
    continue;
  }
  for (const line of match[1].split("\n").filter((text) => text.trim() !== "")) {
    const entry = /^"([^"]+)": (major|minor|patch)$/.exec(line);
    if (entry === null) problems.push(`${file}: '${line}' is not "package": major|minor|patch`);
    else if (!published.has(entry[1])) problems.push(`${file}: no published package is called ${entry[1]}`);
    else unreleased.delete(entry[1]);
  }
  if (match[2].trim() === "") problems.push(`${file}: no summary`);
}
for (const name of unreleased) problems.push(`no changeset describes the first release of ${name}`);
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
