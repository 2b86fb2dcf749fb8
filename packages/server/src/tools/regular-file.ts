/** Reads files that a tenant may have put there: pipes, devices and files without an end among them. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Of files that tell no size and hold something all the same, as those of /proc do. */
const UNTOLD_BYTES = 64 * 1024;

/**
 * The whole of a regular file; undefined for one of more than `maxBytes`, and for what is no regular file.
 * Never waits for the other end of a pipe; a file that grows meanwhile ends where it ended before.
 * @throws the system's error when it cannot be opened or read
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  // Without O_NONBLOCK a pipe would hold a thread of the pool for ever.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > maxBytes) return undefined;
    const buffer = Buffer.allocUnsafeSlow(found.size || Math.min(UNTOLD_BYTES, maxBytes));
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}
