import { LocalClientError } from "./errors.ts";

/** What fits sockaddr_un on macOS (104 with its NUL) and Linux (108); Node cuts what is longer without a word. */
const PATH_MAX_BYTES = 103;

/** Throws `E_BAD_SOCKET_PATH`. */
export function checkSocketPath(path: string): void {
  const sizeBytes = new TextEncoder().encode(path).length;
  const isPipe = path.startsWith("\\\\.\\pipe\\");
  if (path !== "" && !path.includes("\0") && (isPipe || sizeBytes <= PATH_MAX_BYTES)) return;
  throw new LocalClientError(
    "E_BAD_SOCKET_PATH",
    `a socket's path has 1 to ${PATH_MAX_BYTES} bytes, this one has ${sizeBytes}; choose a shorter one`,
  );
}
