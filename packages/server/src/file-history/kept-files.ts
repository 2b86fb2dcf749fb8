/**
 * Contents of files as they were before a session changed them, among the session's files; each by its SHA-256, so that
 * the same content is kept once. Bounded: the oldest go first.
 */
import { createHash } from "node:crypto";

/** A folder of files that keeps them. */
export interface ContentFolder {
  list(): Promise<readonly { readonly name: string; readonly bytes: number; readonly modifiedMs: number }[]>;
  /** Undefined when there is no file of that name, or it has more than `maxBytes`. */
  read(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
  put(name: string, content: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface KeptFilesLimits {
  /** The size of one content; larger ones are not kept. */
  readonly maxFileBytes: number;
  /** The size of all contents together. */
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
  readonly #folder: ContentFolder;
  readonly #limits: KeptFilesLimits;
  /** Bytes by SHA-256, the least recently used first. */
  #known: Promise<Map<string, number>> | undefined;

  constructor(folder: ContentFolder, limits: KeptFilesLimits = DEFAULT_KEPT_FILES_LIMITS) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Its SHA-256; undefined when it is too large to keep. @throws the folder's error. */
  async keep(content: Uint8Array): Promise<string | undefined> {
    if (content.length > this.#limits.maxFileBytes) return undefined;
    const sha256 = sha256Of(content);
    const known = await this.#load();
    if (!known.delete(sha256)) await this.#folder.put(sha256, content);
    known.set(sha256, content.length);
    await this.#tidy(known);
    return sha256;
  }

  /** Undefined when it is not kept any more. */
  read(sha256: string): Promise<Uint8Array | undefined> {
    return this.#folder.read(sha256, this.#limits.maxFileBytes).catch(() => undefined);
  }

  /** Which there are. */
  async list(): Promise<ReadonlySet<string>> {
    return new Set((await this.#folder.list().catch(() => [])).map(({ name }) => name));
  }

  #load(): Promise<Map<string, number>> {
    this.#known ??= this.#folder.list().then(
      (files) =>
        new Map(
          [...files]
            .sort((one, other) => one.modifiedMs - other.modifiedMs)
            .map(({ name, bytes }) => [name, bytes]),
        ),
      (error: unknown) => {
        this.#known = undefined;
        throw error;
      },
    );
    return this.#known;
  }

  async #tidy(known: Map<string, number>): Promise<void> {
    let total = [...known.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (total <= this.#limits.maxTotalBytes) return;
    for (const [name, bytes] of [...known]) {
      if (total <= this.#limits.maxTotalBytes * TIDY_TO) break;
      known.delete(name);
      await this.#folder.remove(name);
      total -= bytes;
    }
  }
}
