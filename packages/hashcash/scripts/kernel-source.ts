import { buildKernel } from "./kernel-program.ts";

/** The text of src/kernel-bytes.ts. */
export function kernelSource(): string {
  return [
    "// Written by scripts/build-kernel.ts: WebAssembly modules in base64. Do not edit.",
    ...declaration("SIMD_KERNEL", buildKernel(true)),
    ...declaration("SCALAR_KERNEL", buildKernel(false)),
    "",
  ].join("\n");
}

function declaration(name: string, bytes: Uint8Array): string[] {
  return [`export const ${name} =`, `  "${Buffer.from(bytes).toString("base64")}";`];
}
