/** The text of a response, within bounds; what is no text is refused. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** The size after decompression. */
const MAX_BYTES = 5 * 1024 * 1024;
const SNIFFED_BYTES = 8192;

export interface ResponseText {
  readonly text: string;
  readonly isHtml: boolean;
  /** There was more than fits. */
  readonly isCut: boolean;
}

/** @throws when it is no text, is compressed in a way that is not known, or breaks off. */
export async function readText(response: IncomingMessage): Promise<ResponseText> {
  const type = (response.headers["content-type"] ?? "").toLowerCase();
  if (!isTextType(type)) throw new Error(`This is ${type.split(";")[0]}, not text, and cannot be shown.`);
  const { bytes, isCut } = await readBytes(response);
  const isWide =
    /charset="?utf-?16/.test(type) || /^(?:\xff\xfe|\xfe\xff)/.test(bytes.toString("latin1", 0, 2));
  if (!isWide && bytes.subarray(0, SNIFFED_BYTES).includes(0))
    throw new Error("This is binary data, not text, and cannot be shown.");
  const text = decode(bytes, type);
  const isHtml = type === "" ? /^\s*<(?:!doctype html|html)\b/i.test(text) : /^[^;]*html/.test(type);
  return { text, isHtml, isCut };
}

function isTextType(type: string): boolean {
  const name = (type.split(";")[0] ?? "").trim();
  if (name === "" || name.startsWith("text/")) return true;
  return /^application\/(?:[\w.-]+\+)?(?:json|xml|xhtml\+xml|javascript|ecmascript|x-javascript|x-ndjson|ndjson|yaml|x-yaml|toml|x-sh|sql|graphql|rtf)$/.test(
    name,
  );
}

async function readBytes(response: IncomingMessage): Promise<{ bytes: Buffer; isCut: boolean }> {
  const parts: Buffer[] = [];
  let size = 0;
  const body = decompressed(response);
  try {
    for await (const chunk of body) {
      parts.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > MAX_BYTES) return { bytes: Buffer.concat(parts).subarray(0, MAX_BYTES), isCut: true };
    }
    return { bytes: Buffer.concat(parts), isCut: false };
  } finally {
    response.destroy();
    body.destroy();
  }
}

function decompressed(response: IncomingMessage): Readable {
  const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const decoders: Record<string, () => NodeJS.ReadWriteStream> = {
    gzip: createGunzip,
    "x-gzip": createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  };
  if (encoding === "identity" || encoding === "") return response;
  const create = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (!create) throw new Error(`The server compressed the page in a way that is not known: ${encoding}.`);
  const decoder = create();
  response.on("error", (error) => (decoder as unknown as Readable).destroy(error));
  return response.pipe(decoder) as unknown as Readable;
}

function decode(bytes: Buffer, type: string): string {
  const declared =
    /charset="?([\w.:-]+)/.exec(type)?.[1] ??
    /<meta[^>]{0,200}charset=["']?([\w.:-]+)/i.exec(bytes.toString("latin1", 0, 2048))?.[1];
  const text = decoderFor(declared).decode(bytes);
  return text.replaceAll("\0", "\ufffd");
}

function decoderFor(label: string | undefined): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(label ?? "utf-8");
  } catch {
    return new TextDecoder();
  }
}
