import type { FileHandle } from "node:fs/promises";

/** A file that grows meanwhile, or has no end, ends there. */
export async function readUpTo(handle: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead } = await handle.read(buffer, length, maxBytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
