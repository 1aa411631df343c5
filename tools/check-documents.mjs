// What the documents point at is there: every relative link of a .md file, with its heading, and every source file that
// docs/ARCHITECTURE.md names.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SKIPPED = new Set(["node_modules", "dist", "coverage", "reference", ".git", ".turbo"]);
const filesIn = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    // As the documents write them, whatever the system.
    const path = posix.join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return SKIPPED.has(entry.name) ? [] : filesIn(path);
  });
const files = filesIn("");
const documents = files.filter((file) => file.endsWith(".md") && !file.startsWith(".changeset/"));
const problems = [];

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
function anchors(text) {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ +(.*)$/gm);
  return new Set(
    [...headings].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

for (const file of documents) {
  const text = readFileSync(join(root, file), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, heading] = target.split("#");
    const at = path === "" ? join(root, file) : join(root, dirname(file), path);
    if (!existsSync(at)) problems.push(`${file}: there is no ${relative(root, at)}`);
    else if (
      heading !== undefined &&
      statSync(at).isFile() &&
      at.endsWith(".md") &&
      !anchors(readFileSync(at, "utf8")).has(heading)
    ) {
      problems.push(`${file}: ${relative(root, at)} has no heading #${heading}`);
    }
  }
}

const architecture = readFileSync(join(root, "docs/ARCHITECTURE.md"), "utf8");
for (const [name] of architecture.matchAll(/[\w-]+(?:\/[\w.-]+)*\.(?:ts|mjs)\b/g)) {
  if (!files.some((file) => `/${file}`.endsWith(`/${name}`)))
    problems.push(`docs/ARCHITECTURE.md: there is no ${name}`);
}

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
