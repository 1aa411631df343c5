const MAX_LENGTH = 256;

// C0 and C1 controls, DEL, line separators, and whatever changes the direction or the presence of text around it: such text
// could forge a line, hide one, or drive a terminal.
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Untrusted text as it may stand in a log line, an error message or a terminal: whatever is not plainly visible is written
 * as `\u{hex}`, and it is cut to 256 characters, the cut shown by `…`.
 */
export function peerText(text: string): string {
  // Cut before escaping as well, so that a long text costs no more than a short one.
  const escaped = text
    .slice(0, MAX_LENGTH + 1)
    .replaceAll(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  if (escaped.length <= MAX_LENGTH) return escaped;
  const cut = escaped.slice(0, MAX_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, "");
  return `${cut}…`;
}
