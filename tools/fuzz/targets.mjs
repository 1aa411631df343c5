import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packages = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "packages");

/** The targets of all packages whose name holds one of the given ones. */
export async function loadTargets(names) {
  const all = [];
  for (const name of readdirSync(packages).sort()) {
    const file = join(packages, name, "test", "fuzz-targets.ts");
    if (!existsSync(file)) continue;
    const { targets } = await import(pathToFileURL(file).href);
    all.push(...targets.map((target) => ({ ...target, name: `${name}: ${target.name}` })));
  }
  return all.filter(({ name }) => names?.some((asked) => name.includes(asked)) ?? true);
}
