import { stat, statfs } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { type DataDirPaths, dataDirPaths } from "@starling/daemon";
import type { LinkInfo, NodeStatus, PeerInfo } from "@starling/local-client";

// What `doctor` looks at; what it makes of it is in doctor-checks.ts.

export type DirectoryFacts = {
  readonly path: string;
  /** Undefined where there is none. */
  readonly mode: number | undefined;
  readonly isOwn: boolean;
  /** Undefined before there is a key. */
  readonly keyMode: number | undefined;
  readonly keyPath: string;
  /** Undefined where the system does not say. */
  readonly freeBytes: number | undefined;
};

export type DaemonFacts = {
  readonly status: NodeStatus;
  readonly peers: readonly PeerInfo[];
  readonly links: readonly LinkInfo[];
  /** How long its answer took. */
  readonly answerMs: number;
};

export type DoctorFacts = {
  readonly directory: DirectoryFacts;
  /** Or why there are none. */
  readonly daemon: DaemonFacts | { readonly error: Error };
  /** Addresses of this machine's network interfaces. */
  readonly ownIps: ReadonlySet<string>;
};

export async function directoryFacts(dataDir: string): Promise<DirectoryFacts> {
  const { directory: path, keyPath }: DataDirPaths = dataDirPaths(dataDir);
  const [own, key, files] = await Promise.all([quietly(stat(path)), quietly(stat(keyPath)), quietly(statfs(path))]);
  return {
    path,
    mode: own?.mode,
    isOwn: own === undefined || process.getuid === undefined || own.uid === process.getuid(),
    keyMode: key?.mode,
    keyPath,
    freeBytes: files && files.bavail * files.bsize,
  };
}

export function ownIps(): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return new Set(addresses.map(({ address }) => address));
}

async function quietly<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}
