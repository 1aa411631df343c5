// What every backend has to do, each with each: werift, and node-datachannel where its binary is to be had on this platform.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";

const NATIVE = "node-datachannel";
// Its platforms have packages of their own; there is none for this one where it cannot be imported.
const isThere = await promisify(execFile)(process.execPath, ["-e", `import("${NATIVE}").then(() => process.exit())`], {
  cwd: fileURLToPath(new URL(".", import.meta.url)),
}).then(
  () => true,
  () => false,
);
const names = isThere ? ["werift", NATIVE] : ["werift"];

describe.each(names.flatMap((first) => names.map((second) => [first, second] as const)))(
  "%s offers to %s:",
  (first, second) => {
    test("messages both ways, lies that never open, cancels that are told once", async () => {
      const flags = ["--conditions=@starling/source", "--disable-warning=ExperimentalWarning"];
      const child = fileURLToPath(new URL("./child/backends.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, child, first, second], {
        timeout: 55_000,
      });
      const { isSame, reasons, lastWords, opened, cancels } = JSON.parse(stdout);
      expect(isSame).toEqual([true, true]);
      expect(reasons).toEqual(["local", "remote"]);
      // node-datachannel neither says what was acknowledged, nor hands on what came right before an end.
      expect(lastWords).toBeGreaterThanOrEqual(first === "werift" && second === "werift" ? 20 : 0);
      expect(opened).toBe(0);
      expect(cancels).toEqual([1, 1, 1, 1, 1]);
    }, 60_000);
  },
);
