// `npm run check:packages`: what a person gets who installs one of the public packages. Each is built, packed, linted (publint),
// its types resolved (attw), installed alone into an empty project, and there every entry point and the README's first example are
// compiled under nodenext and under bundler resolution, and run. Then all of them are installed into one project and compiled
// there with older TypeScripts; and the API reference has to be whole (tools/reference). NAME ... chooses packages.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Their examples need a running node, or a signal to end; examples/test/readmes.test.ts runs all of them, on the sources. */
const EXAMPLE_NOT_RUN = ["daemon", "local-client"];
/** The last of each earlier line of TypeScript. The repository itself is compiled with the newest. */
const OLDER_TYPESCRIPT = ["5.9.3", "6.0.3"];
/** ESM only: what a CommonJS or a pre-exports resolver would see is no concern. */
const RESOLUTIONS = ["node16-esm", "node16", "bundler", "any"];
const EXAMPLE_DEADLINE_MS = 60_000;
/** TypeScript 5.9 and 6 are a tenth as fast as 7, and CI machines are not idle. */
const COMPILE_DEADLINE_MS = 600_000;

const only = process.argv.slice(2);
const folders = readdirSync(join(root, "packages")).map((name) => ({ name, folder: join(root, "packages", name) }));
const packages = folders
  .map(({ name, folder }) => ({
    name,
    folder,
    manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
  }))
  .filter(({ manifest }) => manifest.private !== true);
const chosen = packages.filter(({ name }) => only.length === 0 || only.includes(name));

const versions = Object.fromEntries(
  ["@types/node", "typescript"].map((name) => [
    name,
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version,
  ]),
);
const work = mkdtempSync(join(tmpdir(), "starling-packages-"));
let failed = 0;

function report(what, started, problems) {
  if (problems.length > 0) failed += 1;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${problems.length === 0 ? "ok    " : "FAILED"} ${what} ${seconds} s\n`);
  for (const problem of problems) process.stdout.write(`       ${problem.replaceAll("\n", "\n       ")}\n`);
}

function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: EXAMPLE_DEADLINE_MS, ...options });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    child.once("error", (error) => resolve({ ok: false, output: error.message }));
    child.once("close", (code, signal) => {
      resolve({ ok: code === 0, output: signal === null ? output : `${output}\nended by ${signal}` });
    });
  });
}

const pnpm = (args, options) => run(process.execPath, [join(root, "node_modules/pnpm/bin/pnpm.mjs"), ...args], options);

async function pack({ folder, manifest }) {
  const done = await pnpm(["pack", "--pack-destination", work], { cwd: folder });
  if (!done.ok) throw new Error(`pnpm pack of ${manifest.name} failed:\n${done.output}`);
  return join(work, `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
}

async function lint(tarball) {
  const data = readFileSync(tarball);
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  const types = await checkPackage(createPackageFromTarballData(data));
  const wrong = types.types === false ? [{ kind: "no types" }] : types.problems;
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, pkg)}`),
    ...wrong
      .filter(({ resolutionKind, resolutionOption }) =>
        RESOLUTIONS.includes(resolutionKind ?? resolutionOption ?? "any"),
      )
      .map((problem) => `attw: ${JSON.stringify(problem)}`),
  ];
}

/** The first TypeScript block of the README. */
function example({ folder }) {
  return /^```ts\n([\s\S]*?)^```/m.exec(readFileSync(join(folder, "README.md"), "utf8"))?.[1];
}

/** An empty project in which these packages are installed, as their tarballs, and what their examples import. */
async function createProject(name, entries, tarballs, devDependencies) {
  const project = join(work, name);
  mkdirSync(project);
  const overrides = Object.fromEntries([...tarballs].map(([packed, tarball]) => [packed, `file:${tarball}`]));
  const write = (path, value) =>
    writeFileSync(join(project, path), typeof value === "string" ? value : JSON.stringify(value));
  const wanted = new Set(entries.map(({ manifest }) => manifest.name));
  for (const entry of entries) {
    const { manifest } = entry;
    const points = Object.keys(manifest.exports).filter((key) => key !== "./package.json");
    const imports = points
      .map((key, i) => `import * as entry${i} from "${posix.join(manifest.name, key)}";\n`)
      .join("");
    const counts = points.map((_, i) => `Object.keys(entry${i}).length`).join(", ");
    write(`entries-${entry.name}.ts`, `${imports}console.log(${counts});\n`);
    const code = example(entry);
    if (code === undefined) throw new Error(`README.md of ${entry.name} has no example`);
    for (const [, imported] of code.matchAll(/from "(@starling\/[^"/]+)/g)) wanted.add(imported);
    write(`example-${entry.name}.ts`, `${code}\nexport {};\n`);
  }
  const dependencies = Object.fromEntries([...wanted].map((key) => [key, overrides[key]]));
  write("package.json", { name: "consumer", private: true, type: "module", dependencies, devDependencies });
  const lines = Object.entries(overrides).map(([key, value]) => `  "${key}": "${value}"\n`);
  write("pnpm-workspace.yaml", `packages: []\noverrides:\n${lines.join("")}`);
  // TypeScript's own lib.*.d.ts are not checked anew; all other declarations are, ours and those that they need.
  const checks = { strict: true, skipLibCheck: false, skipDefaultLibCheck: true };
  const options = { target: "es2023", types: ["node"], outDir: "out", rootDir: ".", ...checks };
  const settings = {
    nodenext: { module: "nodenext" },
    bundler: { module: "esnext", moduleResolution: "bundler", noEmit: true },
  };
  for (const [resolution, setting] of Object.entries(settings))
    write(`tsconfig.${resolution}.json`, { compilerOptions: { ...options, ...setting }, include: ["*.ts"] });
  const install = ["install", "--prefer-offline", "--ignore-scripts", "--reporter=append-only"];
  const installed = await pnpm(install, { cwd: project });
  if (!installed.ok) throw new Error(`pnpm install failed: ${installed.output}`);
  return project;
}

/** Compiles a project both ways, at once, and gives what was wrong. */
async function compile(project, typescript) {
  const problems = await Promise.all(
    ["nodenext", "bundler"].map(async (resolution) => {
      const tsc = [join(project, "node_modules", typescript, "bin/tsc"), "-p", `tsconfig.${resolution}.json`];
      const compiled = await run(process.execPath, tsc, { cwd: project, timeout: COMPILE_DEADLINE_MS });
      return compiled.ok ? [] : [`types under ${resolution}: ${compiled.output}`];
    }),
  );
  return problems.flat();
}

async function consume(entry, tarballs) {
  const { name } = entry;
  const project = await createProject(`project-${name}`, [entry], tarballs, versions);
  const problems = await compile(project, "typescript");
  for (const file of EXAMPLE_NOT_RUN.includes(name) ? ["entries"] : ["entries", "example"]) {
    const done = await run(process.execPath, [join("out", `${file}-${name}.js`)], { cwd: project });
    if (!done.ok) problems.push(`running the ${file}: ${done.output}`);
  }
  return problems;
}

async function compileWithOlder(entries, tarballs) {
  const aliases = OLDER_TYPESCRIPT.map((version) => [`typescript-${version}`, `npm:typescript@${version}`]);
  const devDependencies = { "@types/node": versions["@types/node"], ...Object.fromEntries(aliases) };
  const installing = performance.now();
  const project = await createProject("project-all", entries, tarballs, devDependencies);
  report("all packages in one project", installing, []);
  for (const version of OLDER_TYPESCRIPT) {
    const begun = performance.now();
    report(`all packages under TypeScript ${version}`, begun, await compile(project, `typescript-${version}`));
  }
}

/** Beside the rest, for it is one thread for as long as three packages take. */
async function checkReference() {
  const begun = performance.now();
  const args = [join(root, "tools/reference/main.mjs"), "--check"];
  const done = await run(process.execPath, args, { timeout: COMPILE_DEADLINE_MS });
  report("API reference", begun, done.ok ? [] : [done.output]);
}

try {
  const started = performance.now();
  const turbo = join(root, "node_modules/turbo/bin/turbo");
  const built = spawnSync(process.execPath, [turbo, "run", "build", "--output-logs=errors-only"], {
    cwd: root,
    encoding: "utf8",
  });
  report("build", started, built.status === 0 ? [] : [built.stdout + built.stderr]);
  const referenced = checkReference();
  const packing = performance.now();
  const tarballs = new Map();
  for (const entry of packages) tarballs.set(entry.manifest.name, await pack(entry));
  report("pack", packing, []);
  for (const entry of chosen) {
    const begun = performance.now();
    const problems = await lint(tarballs.get(entry.manifest.name));
    problems.push(...(await consume(entry, tarballs)));
    report(entry.manifest.name, begun, problems);
  }
  await compileWithOlder(chosen, tarballs);
  await referenced;
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
