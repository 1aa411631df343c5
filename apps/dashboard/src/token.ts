// The token comes in the fragment, which no server sees, and leaves the address at once, for addresses are kept and shown.

const KEY = "starling-token";

export function takeToken(
  { hash, pathname }: Pick<Location, "hash" | "pathname">,
  storage: Pick<Storage, "getItem" | "setItem">,
  history: Pick<History, "replaceState">,
): string {
  const token = new URLSearchParams(hash.slice(1)).get("token");
  if (token === null) return storage.getItem(KEY) ?? "";
  storage.setItem(KEY, token);
  history.replaceState(null, "", pathname);
  return token;
}
