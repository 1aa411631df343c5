import * as z from "zod/mini";
import { base64SizeBytes, decodeBase64 } from "./base64.ts";
import { CONTENT_MAX_BYTES } from "./limits.ts";

// Content as it stands in JSON: base64.

/** Told apart from a content that is not base64, for the advice differs. */
export const TOO_LARGE: string = `content has at most ${CONTENT_MAX_BYTES} bytes; send it in parts`;

/** The bytes, or what is wrong with the text that a program sent. */
export function readContent(text: string): Uint8Array | string {
  // The length comes first: what is too long is not decoded.
  if (text.length > base64SizeBytes(CONTENT_MAX_BYTES)) return TOO_LARGE;
  const bytes = decodeBase64(text);
  if (bytes === undefined) return "content is base64, padded, without white space";
  return bytes.length <= CONTENT_MAX_BYTES ? bytes : TOO_LARGE;
}

export const contentParam: z.ZodMiniType<Uint8Array, string> = contentSchema(readContent);

export const contentResult: z.ZodMiniType<Uint8Array, string> = contentSchema(
  (text) => decodeBase64(text) ?? "not base64",
);

/** `decode` gives the bytes, or what is wrong with the text. */
function contentSchema(decode: (text: string) => Uint8Array | string): z.ZodMiniType<Uint8Array, string> {
  return z.pipe(
    z.string(),
    z.transform((input: string, context): Uint8Array => {
      const bytes = decode(input);
      if (typeof bytes !== "string") return bytes;
      context.issues.push({ code: "custom", message: bytes, input });
      return z.NEVER;
    }),
  );
}
