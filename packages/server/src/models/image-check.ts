/** Whether an image is what it is said to be: a provider that cannot read one refuses the whole conversation. */

export type CheckedImage =
  | { readonly mimeType: string; readonly base64: string }
  | { readonly problem: string };

/** The image with its real type and in plain base64; or why no model can be shown it. */
export function checkImage(base64: string): CheckedImage {
  const plain = toPlainBase64(base64);
  const bytes = Buffer.from(plain, "base64");
  if (bytes.length === 0) return { problem: "it is empty" };
  const kind = KINDS.find(({ begins }) => begins(bytes));
  if (!kind) return { problem: "it is not a PNG, JPEG, GIF or WebP image" };
  if (!kind.isWhole(bytes)) return { problem: "it is cut short" };
  return { mimeType: kind.mimeType, base64: plain };
}

interface ImageKind {
  readonly mimeType: string;
  readonly begins: (bytes: Buffer) => boolean;
  readonly isWhole: (bytes: Buffer) => boolean;
}

const KINDS: readonly ImageKind[] = [
  {
    mimeType: "image/png",
    begins: (bytes) => startsWith(bytes, "\x89PNG\r\n\x1a\n"),
    isWhole: (bytes) => bytes.includes("IEND", 0, "latin1"),
  },
  {
    mimeType: "image/jpeg",
    begins: (bytes) => startsWith(bytes, "\xff\xd8\xff"),
    isWhole: (bytes) => bytes.includes("\xff\xd9", 0, "latin1"),
  },
  {
    mimeType: "image/gif",
    begins: (bytes) => startsWith(bytes, "GIF8"),
    isWhole: (bytes) => bytes.length > 13,
  },
  {
    mimeType: "image/webp",
    begins: (bytes) => startsWith(bytes, "RIFF") && bytes.toString("latin1", 8, 12) === "WEBP",
    isWhole: (bytes) => bytes.length >= 12 && bytes.length >= bytes.readUInt32LE(4) + 8,
  },
];

function startsWith(bytes: Buffer, magic: string): boolean {
  return bytes.toString("latin1", 0, magic.length) === magic;
}

/** Without an address's head, line breaks and the letters of other alphabets, which providers refuse. */
function toPlainBase64(given: string): string {
  const base64 = given.startsWith("data:") ? given.slice(given.indexOf(",") + 1) : given;
  const isPlain = base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  return isPlain ? base64 : Buffer.from(base64, "base64").toString("base64");
}
