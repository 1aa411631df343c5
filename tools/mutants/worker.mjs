// Runs tests on request, in one process, so that most of Jest is loaded once: {tests, source, text} is answered with the files that
// failed and how long each took. A mutant that never ends is for the parent to kill.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCLI } from "jest";
import base from "../../jest.config.mjs";
import { become } from "./transform.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [[pattern, [, swcOptions]]] = Object.entries(base.transform);
let runs = 0;

process.on("message", async ({ folder, file, part, tests, text }) => {
  become(join(root, file), text);
  runs += 1;
  const config = {
    ...base,
    rootDir: root,
    roots: [join(root, folder)],
    testMatch: part.split(",").map((name) => `<rootDir>/${folder}/test/**/*${name}*.test.ts`),
    testEnvironment: join(root, "tools/mutants/environment.mjs"),
    transform: { [pattern]: [join(root, "tools/mutants/transform.mjs"), swcOptions] },
    // Each mutant is a configuration of its own, or Jest would hand out what it has transformed before.
    globals: { mutantRun: runs },
    reporters: [],
  };
  const argv = { config: JSON.stringify(config), runInBand: true, silent: true, watchman: false, $0: "mutants" };
  const which = tests === undefined ? { findRelatedTests: true, _: [file] } : { runTestsByPath: true, _: tests };
  const { results } = await runCLI({ ...argv, ...which }, [root]);
  const answer = results.testResults.map(({ testFilePath, perfStats, numFailingTests, testExecError }) => ({
    test: testFilePath,
    failed: numFailingTests > 0 || testExecError !== undefined,
    ms: perfStats.runtime,
  }));
  process.send(answer);
});
process.send("ready");
