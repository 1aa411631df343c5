// Jest's transform of a run with a mutant: that of every run, but for the one file, whose changed text exists in memory only.
import { createHash } from "node:crypto";
import swc from "@swc/jest";

let path = "";
let mutant = "";

/** From now on this file has this text. */
export function become(newPath, newMutant) {
  [path, mutant] = [newPath, newMutant];
}

export default {
  createTransformer(options) {
    const { process, processAsync } = swc.createTransformer(options);
    const textOf = (source, file) => (file === path ? mutant : source);
    return {
      canInstrument: false,
      process: (source, file, jestOptions) => process(textOf(source, file), file, jestOptions),
      processAsync: (source, file, jestOptions) => processAsync(textOf(source, file), file, jestOptions),
      getCacheKey: (source, file) =>
        createHash("sha256")
          .update(`${file}\0${textOf(source, file)}`)
          .digest("hex"),
    };
  },
};
