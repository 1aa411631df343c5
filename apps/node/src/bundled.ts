// What a bundle of this program brings with it, written in by bundle.mjs; from the sources and from dist it is found in files.

type Bundled = {
  readonly version: string;
  /** Texts of the dashboard by file name. */
  readonly pages: Readonly<Record<string, string>>;
  /** The file that minting threads run, relative to the bundle; empty where that is the bundle itself. */
  readonly worker: string;
};

declare const STARLING_BUNDLED: Bundled;

export const bundled: Bundled | undefined = typeof STARLING_BUNDLED === "undefined" ? undefined : STARLING_BUNDLED;

/** Undefined: the package of minting knows its own. */
export const workerUrl: URL | undefined =
  bundled && new URL(bundled.worker === "" ? import.meta.url : new URL(bundled.worker, import.meta.url));
