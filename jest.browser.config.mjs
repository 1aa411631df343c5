// `npm run test:browser`: the packages that run in a browser, in headless Chromium.
import base from "./jest.config.mjs";

export default { ...base, testMatch: ["<rootDir>/browser/test/*.test.ts"], testTimeout: 20_000 };
