import { createHash, timingSafeEqual } from "node:crypto";

/** Knows the token among whatever is shown, which is untrusted; how long it looks says nothing of how near one came. */
export function tokenCheck(token: string): (shown: string) => boolean {
  const expected = digest(token);
  return (shown) => timingSafeEqual(digest(shown), expected);
}

/** Of one length, whatever the text's. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
