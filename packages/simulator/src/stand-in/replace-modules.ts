import { registerHooks } from "node:module";

// Sessions take their cryptography as a parameter; boxes and signatures do not, for nobody but the simulator would want to change
// them. So a process that runs with stand-ins loads two modules of crypto-identity from here. It must be called before anything
// of the workspace is imported.

const OWNER = "/crypto-identity/src/suite.ts";
const REPLACED: Readonly<Record<string, string>> = {
  "./signature.ts": new URL("./signature.ts", import.meta.url).href,
  "./sealed-box.ts": new URL("./sealed-box.ts", import.meta.url).href,
};

export function replaceModules(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = context.parentURL?.endsWith(OWNER) ? REPLACED[specifier] : undefined;
      return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
    },
  });
}
