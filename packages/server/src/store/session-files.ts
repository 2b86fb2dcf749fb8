/**
 * The files of a session: its plan, `files/`, `checkpoints/`, `file-history/`, `session.db`, large outputs in `temp/`.
 *
 * Tools and people work on files where they are, so the owner of a session has a **working copy** of them in a
 * directory on its machine. What the server writes goes through `put` and `remove`, and is kept by the store when they
 * resolve. What others change in the working copy is taken over by `checkIn`. On a store of files the working copy is
 * the store itself. A **name** is a path within the session's files, with forward slashes.
 */
import type { Lease, SessionKey } from "./session-key.ts";

export interface FileEntry {
  /** Within the folder that was listed. */
  readonly name: string;
  readonly bytes: number;
  /** When it was last put or changed; milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface SessionFiles {
  /**
   * The session's working copy on this machine: an absolute path, without a look at the disk. What is in it is of use
   * to the owner alone. Says nothing of the session that another node or another start could use.
   * @throws StoreError `invalid-key`.
   */
  directoryOf(key: SessionKey): string;

  /** The regular files of one folder, not those of folders in it. */
  list(key: SessionKey, folder: string): Promise<readonly FileEntry[]>;

  /** Undefined when there is no regular file of that name, or it has more than `maxBytes`. */
  read(key: SessionKey, name: string, maxBytes: number): Promise<Uint8Array | undefined>;

  /** Whole or not at all, whoever reads meanwhile. Makes the folders on the way. */
  put(lease: Lease, name: string, content: Uint8Array | string): Promise<void>;

  /** Removes a file; none of that name is no matter. */
  remove(lease: Lease, name: string): Promise<void>;

  /** Keeps what was changed in the working copy otherwise, in one file or folder or all of it. */
  checkIn(lease: Lease, name?: string): Promise<void>;

  /** Copies files and folders of a session, which may belong to another node, into another; those that are missing are left out. */
  copy(source: SessionKey, target: Lease, names: readonly string[]): Promise<void>;
}

/** What a store keeps of a working copy: everything else in it is of its machine. */
export const SESSION_FILES = [
  "plan.md",
  "files",
  "checkpoints",
  "file-history",
  "session.db",
  "temp",
] as const;
