// `npm run pack [-- DIR]`: every public package and both programs as tarballs, to be installed elsewhere as long as they are on no
// registry. pnpm packs them, for npm would leave the workspace's own version ranges in. Built before, by tools/bootstrap.mjs.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const to = resolve(process.argv[2] ?? join(root, "packed"));
mkdirSync(to, { recursive: true });
for (const group of ["packages", "apps"]) {
  for (const name of readdirSync(join(root, group)).sort()) {
    const folder = join(root, group, name);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    if (manifest.private === true) continue;
    const args = [join(root, "node_modules/pnpm/bin/pnpm.mjs"), "pack", "--pack-destination", to];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) {
      process.stderr.write(`starling: packing ${manifest.name} failed:\n${stdout}${stderr}`);
      process.exit(1);
    }
    process.stdout.write(`${manifest.name} ${manifest.version}\n`);
  }
}
process.stdout.write(`\nin another project: npm install ${join(to, "*.tgz")}\n`);
