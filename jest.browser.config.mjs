// `npm run test:browser`: what runs in a browser, in headless Chromium.
import { existsSync } from "node:fs";
import base from "./jest.config.mjs";

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const found = process.env.CHROMIUM || paths.find((path) => existsSync(path));
if (found === undefined) {
  throw new Error(
    "no Chromium here: install one (Debian: apt-get install chromium), or set CHROMIUM to the path of one",
  );
}
// Inherited by the workers, where the tests read it.
process.env.CHROMIUM = found;

export default {
  ...base,
  testMatch: ["<rootDir>/browser/test/*.test.ts", "<rootDir>/{apps/*,examples}/test/*.browser.ts"],
  testTimeout: 20_000,
};
