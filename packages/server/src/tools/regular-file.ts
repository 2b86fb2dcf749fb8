/** Files that a tenant may have put there: pipes, devices and files without an end among them. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** How much is read of files that report no size and have content all the same, such as those of /proc. */
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

/**
 * Puts text into a regular file, for its owner alone when it is made. Never waits for a pipe to be read.
 * @throws the system's error, with the code ENXIO for a pipe; EINVAL for what else is no regular file
 */
export async function writeRegularFile(path: string, content: string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_NONBLOCK = 0 } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0o600);
  try {
    if (!(await handle.stat()).isFile())
      throw Object.assign(new Error(`${path} is not a regular file`), { code: "EINVAL" });
    await handle.truncate(0);
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}
