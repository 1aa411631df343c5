// `npm run docs`: the API reference of every public package, out of the sources that the tests run on, into docs/reference (not
// committed). A public name without a docstring, a type that is used but not exported and a broken link are failures.
// `--check` writes nothing.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, normalizePath } from "typedoc";

const folder = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(folder));

/** Every entry point of every public package: its source file, and what an importer writes. */
const entries = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group)).flatMap((name) => {
    const manifest = JSON.parse(readFileSync(join(root, group, name, "package.json"), "utf8"));
    if (manifest.private === true) return [];
    return Object.entries(manifest.exports ?? {}).flatMap(([key, target]) => {
      const source = target["@starling/source"]?.default ?? target["@starling/source"];
      if (source === undefined) return [];
      return [
        { file: join(root, group, name, source), name: manifest.name, specifier: posix.join(manifest.name, key) },
      ];
    });
  }),
);
const specifierOf = new Map(entries.map(({ file, specifier }) => [normalizePath(file), specifier]));

const app = await Application.bootstrap({
  name: "Starling",
  readme: join(root, "README.md"),
  entryPoints: entries.map(({ file }) => file),
  tsconfig: join(folder, "tsconfig.json"),
  out: join(root, "docs/reference"),
  basePath: root,
  disableGit: true,
  // From the generated page to the source in the same checkout.
  sourceLinkTemplate: "../../../{path}#L{line}",
  gitRevision: "none",
  excludePrivate: true,
  sort: ["source-order"],
  // The README's links to folders are for readers of the repository.
  validation: { notExported: true, invalidLink: true, notDocumented: true, invalidPath: false },
  packagesRequiringDocumentation: [...new Set(entries.map(({ name }) => name))],
  // Fields of an object are told by their names, which hold the units, and where that is not enough by a comment.
  requiredToBeDocumented: ["Class", "Interface", "TypeAlias", "Function", "Variable", "Method", "Accessor"],
});
const project = await app.convert();
if (project === undefined) process.exit(1);
for (const module of project.children ?? []) {
  module.name = specifierOf.get(module.sources?.[0]?.fullFileName) ?? module.name;
}
app.validate(project);
const isBad = app.logger.hasErrors() || app.logger.validationWarningCount > 0;
if (!isBad && !process.argv.includes("--check")) await app.generateOutputs(project);
process.exit(isBad || app.logger.hasErrors() ? 1 : 0);
