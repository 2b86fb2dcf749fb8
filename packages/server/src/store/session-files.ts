/**
 * The files of a session: its plan, `files/`, `checkpoints/`, `file-history/`, `session.db`, large outputs in `temp/`.
 *
 * Tools and people work on files where they are, so the owner of a session has a **working copy** of them in a
 * directory on its machine. The server writes through `put` and `remove`; the store has the change when they
 * resolve. `checkIn` stores changes that others made in the working copy. On a store of files the working copy is
 * the store itself. A **name** is a path within the session's files, with forward slashes.
 */
import type { Lease, SessionKey } from "./session-key.ts";

export interface FileEntry {
  /** The name within the listed folder. */
  readonly name: string;
  readonly bytes: number;
  /** When it was last put or changed; milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface SessionFiles {
  /**
   * The session's working copy on this machine: an absolute path, made without reading the disk. Its content is of use
   * only to the owner. The path means nothing to another node or after another start.
   * @throws StoreError `invalid-key`.
   */
  directoryOf(key: SessionKey): string;

  /** The regular files of one folder, not those of folders in it. */
  list(key: SessionKey, folder: string): Promise<readonly FileEntry[]>;

  /** Undefined when there is no regular file of that name, or it has more than `maxBytes`. */
  read(key: SessionKey, name: string, maxBytes: number): Promise<Uint8Array | undefined>;

  /** Writes a file whole or not at all, whoever reads meanwhile. Makes the folders on the way. */
  put(lease: Lease, name: string, content: Uint8Array | string): Promise<void>;

  /** Removes a file, if there is one of that name. */
  remove(lease: Lease, name: string): Promise<void>;

  /** Stores other changes of the working copy: of one file or folder, or of all of it. */
  checkIn(lease: Lease, name?: string): Promise<void>;

  /** Copies files and folders of a session, which may belong to another node, into another; those that are missing are left out. */
  copy(source: SessionKey, target: Lease, names: readonly string[]): Promise<void>;
}

/** The parts of a working copy that a store keeps; everything else stays on its machine. */
export const SESSION_FILES = [
  "plan.md",
  "files",
  "checkpoints",
  "file-history",
  "session.db",
  "temp",
] as const;
