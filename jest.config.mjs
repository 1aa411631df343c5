// Tests run on the TypeScript sources: the private export condition maps every workspace package to its src, so nothing is
// built first. Started through `node --experimental-vm-modules`, never through a package manager's shim, whose NODE_PATH
// would let undeclared dependencies resolve.
export default {
  testEnvironment: "node",
  // Many tests wait for processes and timers; without this a machine of two cores runs them one after the other.
  maxWorkers: "100%",
  testMatch: ["<rootDir>/{packages,apps}/*/test/**/*.test.ts", "<rootDir>/{bench,examples,hostile}/test/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleFileExtensions: ["ts", "js", "mjs", "cjs", "json", "node"],
  testEnvironmentOptions: { customExportConditions: ["@starling/source", "node", "node-addons"] },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2023" },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  reporters: ["default", "<rootDir>/tools/closing-line.mjs"],
};
