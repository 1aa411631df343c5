// The usual test environment, but the first test of a file that fails is the last that is run: a mutant dies once.
import { createRequire } from "node:module";

// No dependency of ours: the very one that this Jest would take.
const from = (path, name) => createRequire(path).resolve(name);
const config = from(from(from(import.meta.url, "jest"), "@jest/core"), "jest-config");
const { TestEnvironment } = createRequire(config)("jest-environment-node");

export default class UntilFirstFailure extends TestEnvironment {
  #failed = false;

  handleTestEvent(event) {
    if (event.name === "test_fn_failure" || event.name === "hook_failure") this.#failed = true;
    if (event.name === "test_start" && this.#failed) event.test.mode = "skip";
  }
}
