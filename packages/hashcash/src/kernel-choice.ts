import { type Kernel, plainKernel } from "./kernel.ts";
import { SCALAR_KERNEL, SIMD_KERNEL } from "./kernel-bytes.ts";
import { wasmKernel } from "./wasm-kernel.ts";

/** What hashes: WebAssembly with SIMD, WebAssembly, or JavaScript where there is neither. */
export type KernelName = "wasm-simd" | "wasm" | "plain";

export interface NamedKernel {
  readonly name: KernelName;
  readonly scan: Kernel;
}

let chosen: NamedKernel | undefined;

/** The fastest kernel that runs here; compiled at the first mint, for whoever only verifies needs none. */
export function bestKernel(): NamedKernel {
  chosen ??= chooseKernel(wasmKernel);
  return chosen;
}

/** Which kernel mints here: "wasm-simd" is about five times as fast as "plain". */
export function mintKernelName(): KernelName {
  return bestKernel().name;
}

/** @param compile undefined where a module does not run */
export function chooseKernel(compile: (base64: string) => Kernel | undefined): NamedKernel {
  const simd = compile(SIMD_KERNEL);
  if (simd !== undefined) return { name: "wasm-simd", scan: simd };
  const scalar = compile(SCALAR_KERNEL);
  if (scalar !== undefined) return { name: "wasm", scan: scalar };
  return { name: "plain", scan: plainKernel };
}
