/**
 * Contents of files as they were before a session changed them, in a directory of the session's own; each
 * by its SHA-256, so that the same content is kept once. Bounded: the oldest go first.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readRegularFile } from "../tools/regular-file.ts";

export interface KeptFilesLimits {
  /** Of one content; larger ones are not kept. */
  readonly maxFileBytes: number;
  /** Of all together. */
  readonly maxTotalBytes: number;
}

export const DEFAULT_KEPT_FILES_LIMITS: KeptFilesLimits = {
  maxFileBytes: 10 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
};

/** What is left when there was too much, so that it is not tidied up with every file. */
const TIDY_TO = 0.75;

export function sha256Of(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

export class KeptFiles {
  readonly #directory: string;
  readonly #limits: KeptFilesLimits;
  #totalBytes: number | undefined;

  /** The directory is made when the first content comes. */
  constructor(directory: string, limits: KeptFilesLimits = DEFAULT_KEPT_FILES_LIMITS) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Its SHA-256; undefined when it is too large to keep. @throws the system's error. */
  async keep(content: Uint8Array): Promise<string | undefined> {
    if (content.length > this.#limits.maxFileBytes) return undefined;
    const sha256 = sha256Of(content);
    const path = join(this.#directory, sha256);
    const now = new Date();
    // Kept already: as good as new.
    if (
      await utimes(path, now, now).then(
        () => true,
        () => false,
      )
    )
      return sha256;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    // Two calls may keep the same content at the same time.
    const temporary = `${path}.${randomUUID()}.tmp`;
    await writeFile(temporary, content, { mode: 0o600 });
    await rename(temporary, path);
    this.#totalBytes = (this.#totalBytes ?? (await this.#measure())) + content.length;
    if (this.#totalBytes > this.#limits.maxTotalBytes) await this.#tidy();
    return sha256;
  }

  /** Undefined when it is not kept any more. */
  read(sha256: string): Promise<Uint8Array | undefined> {
    return readRegularFile(join(this.#directory, sha256), this.#limits.maxFileBytes).catch(() => undefined);
  }

  /** Which there are. */
  async list(): Promise<ReadonlySet<string>> {
    return new Set(await readdir(this.#directory).catch(() => []));
  }

  async #measure(): Promise<number> {
    return (await this.#files()).reduce((sum, file) => sum + file.bytes, 0);
  }

  async #files(): Promise<{ path: string; bytes: number; usedMs: number }[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#directory, name);
        const stats = await stat(path).catch(() => undefined);
        return stats ? [{ path, bytes: stats.size, usedMs: stats.mtimeMs }] : [];
      }),
    );
    return found.flat();
  }

  async #tidy(): Promise<void> {
    const files = (await this.#files()).sort((one, other) => one.usedMs - other.usedMs);
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files) {
      if (total <= this.#limits.maxTotalBytes * TIDY_TO) break;
      await rm(file.path, { force: true });
      total -= file.bytes;
    }
    this.#totalBytes = total;
  }
}
