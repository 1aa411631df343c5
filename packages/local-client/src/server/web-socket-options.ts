import type { Server } from "node:http";

/** Who may connect over WebSocket. */
export type WebSocketOptions = {
  /** What a program has to show; at least 32 characters. */
  readonly token: string;
  /** Pages from other places that may connect, such as `http://localhost:5173`; those of this very server may in any case. */
  readonly origins?: readonly string[];
};

/** How this machine's programs name a server; an exact list, since a prefix of an address may begin a stranger's name. */
export function ownNames(http: Server): string[] {
  const address = http.address();
  if (address === null || typeof address === "string") return [];
  return ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${address.port}`);
}
