import type { Kernel } from "./kernel.ts";

/** What is needed of the WebAssembly API, which the type library of neither Node nor ECMAScript describes. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: { readonly scan: (...words: number[]) => number } };
}

/**
 * The kernel in a module that scripts/build-kernel.ts wrote, or undefined where it does not run: no WebAssembly, no SIMD, a
 * content security policy that forbids it, or a browser's main thread that will not compile while it waits.
 */
export function wasmKernel(base64: string): Kernel | undefined {
  const { WebAssembly: api } = globalThis as unknown as { WebAssembly?: WebAssemblyApi };
  if (api === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const { scan } = new api.Instance(new api.Module(bytes)).exports;
    return (midstate, nonceHigh, nonceLow, target, tries) => {
      // Lanes beyond the last try are computed too; what they find is not asked for.
      return Math.min(scan(...midstate, nonceHigh, nonceLow, target, tries), tries);
    };
  } catch {
    return undefined;
  }
}
