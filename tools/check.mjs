// `npm run check`: every check that needs no running program, each with its seconds; the first failure is the exit code.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const script = (name, path) => [process.execPath, join(root, "node_modules", name, path)];
const checks = [
  ["lint, format, cycles", [...script("@biomejs/biome", "bin/biome"), "check", "--error-on-warnings", "."]],
  ["types", [...script("typescript", "bin/tsc"), "-b"]],
  ["types of the tests", [...script("typescript", "bin/tsc"), "-p", "tsconfig.test.json"]],
  ["types of the browser tests", [...script("typescript", "bin/tsc"), "-p", "browser"]],
  ["types of the dashboard", [...script("typescript", "bin/tsc"), "-p", "apps/dashboard"]],
  ["layer boundaries", [...script("turbo", "bin/turbo"), "boundaries"]],
  ["unused code", [...script("knip", "bin/knip.js")]],
  ["changesets", [process.execPath, join(root, "tools/check-changesets.mjs")]],
  ["documents", [process.execPath, join(root, "tools/check-documents.mjs")]],
  ["licences", [process.execPath, join(root, "tools/licences.mjs")]],
  // A second reading of docs/PROTOCOL.md; nobody needs Python to work on the rest.
  ["protocol vectors", ["python3", join(root, "tools/check-protocol.py")]],
];

let failed = 0;
for (const [name, [command, ...args]] of checks) {
  const started = performance.now();
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", env: { ...process.env, FORCE_COLOR: "0" } });
  if (done.error?.code === "ENOENT") {
    process.stdout.write(`skipped ${name}: there is no ${command}\n`);
    continue;
  }
  const ok = done.status === 0;
  if (!ok) {
    failed += 1;
    process.stdout.write(`${done.stdout ?? ""}${done.stderr ?? ""}\n`);
  }
  process.stdout.write(`${ok ? "ok    " : "FAILED"} ${name} ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
process.exit(failed === 0 ? 0 : 1);
