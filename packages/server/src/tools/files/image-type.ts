/** Tells images, and files that are not text, by how they begin. */

const MAGIC: readonly { mimeType: string; at: number; bytes: string }[] = [
  { mimeType: "image/png", at: 0, bytes: "\x89PNG\r\n\x1a\n" },
  { mimeType: "image/jpeg", at: 0, bytes: "\xff\xd8\xff" },
  { mimeType: "image/gif", at: 0, bytes: "GIF8" },
  { mimeType: "image/webp", at: 8, bytes: "WEBP" },
];

/** The MIME type of an image that models understand, or undefined. @param start at least 12 bytes, if there are. */
export function imageTypeOf(start: Buffer): string | undefined {
  const text = start.toString("latin1", 0, 12);
  return MAGIC.find(({ at, bytes }) => text.startsWith(bytes, at))?.mimeType;
}

/** Text holds no NUL. @param start some of the first bytes. */
export function isBinary(start: Buffer): boolean {
  return start.includes(0);
}
