// `npm run coverage [-- PACKAGE ...]`: branches of the sans-I/O packages that the tests which exercise them in their own process take
// (their own tests, the simulator's, and those of sessions over real sockets), a line a package; exit code 1 below LEAST_PERCENT.
//   npm run coverage -- session           only what the tests of this package itself take, sooner
//   npm run coverage -- --list            also each branch that is not taken
// Istanbul's instruments go into the JavaScript that SWC makes, and its source map leads back: measured on this tree, V8's own counts
// know no branch inside an expression. Branches of code that runs in workers and child processes count as not taken.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const LEAST_PERCENT = 95;
const PACKAGES = ["crypto-identity", "hashcash", "bloom", "wire-protocol", "session", "peer-manager", "node-core"];
const BESIDE = ["packages/simulator/test", "packages/udp-transport/test/secure-udp"];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { list: { type: "boolean" } } });
const packages = positionals.length === 0 ? PACKAGES : positionals;
const tests = packages.map((name) => `packages/${name}/test`);
if (positionals.length === 0) tests.push(...BESIDE);

const folder = mkdtempSync(join(tmpdir(), "starling-coverage-"));
const jest = [
  "--experimental-vm-modules",
  "--disable-warning=ExperimentalWarning",
  join(root, "node_modules/jest/bin/jest.js"),
];
const sources = `packages/{${packages.join(",")},}/src/**/*.ts`;
const options = [
  "--coverage",
  `--coverageDirectory=${folder}`,
  "--coverageReporters=json",
  `--collectCoverageFrom=${sources}`,
];
// Instrumented code is several times slower, and no test is about that. The repository's own reporter would end the run while it counts.
const run = spawnSync(
  process.execPath,
  [...jest, ...options, "--silent", "--reporters=default", "--testTimeout=120000", ...tests],
  {
    cwd: root,
    stdio: "inherit",
  },
);

const found = JSON.parse(readFileSync(join(folder, "coverage-final.json"), "utf8"));
rmSync(folder, { recursive: true });
let low = false;
for (const name of packages) {
  let taken = 0;
  const missed = [];
  for (const [path, { branchMap, b }] of Object.entries(found)) {
    if (!path.includes(join("packages", name, "src"))) continue;
    const lines = readFileSync(path, "utf8").split("\n");
    for (const [id, counts] of Object.entries(b)) {
      counts.forEach((count, index) => {
        const line = branchMap[id].locations[index]?.start.line ?? branchMap[id].loc.start.line;
        if (count > 0) taken += 1;
        else
          missed.push(`  ${relative(root, path)}:${line} ${branchMap[id].type} ${index}: ${lines[line - 1]?.trim()}`);
      });
    }
  }
  const percent = (100 * taken) / (taken + missed.length);
  low ||= percent < LEAST_PERCENT;
  process.stdout.write(
    `${name}: ${percent.toFixed(1)} % of ${taken + missed.length} branches, ${missed.length} not taken\n`,
  );
  if (values.list) for (const line of missed) process.stdout.write(`${line}\n`);
}
process.exitCode = run.status !== 0 || low ? 1 : 0;
