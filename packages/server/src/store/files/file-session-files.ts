import type { FileEntry, SessionFiles } from "../session-files.ts";
import { assertValidKey, type Lease, type SessionKey } from "../session-key.ts";
import type { FileHome } from "./file-home.ts";

/** Loaded when files are first asked for: a start does without. */
const loadWorkingCopy = () => import("../working-copy.ts");

/** The files of a session beside its log: its working copy and what is kept of it are one. */
export class FileSessionFiles implements SessionFiles {
  readonly #home: FileHome;

  constructor(home: FileHome) {
    this.#home = home;
  }

  directoryOf(key: SessionKey): string {
    assertValidKey(key);
    return this.#home.directory(key);
  }

  list(key: SessionKey, folder: string): Promise<readonly FileEntry[]> {
    const directory = this.directoryOf(key);
    return this.#home.guard(`list the files of session ${key.sessionId}`, async () =>
      (await loadWorkingCopy()).listFolder(directory, folder),
    );
  }

  read(key: SessionKey, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const directory = this.directoryOf(key);
    return this.#home.guard(`read a file of session ${key.sessionId}`, async () =>
      (await loadWorkingCopy()).readName(directory, name, maxBytes),
    );
  }

  async put(lease: Lease, name: string, content: Uint8Array | string): Promise<void> {
    this.#home.sessionOf(lease);
    await this.#home.guard(`write a file of session ${lease.sessionId}`, async () =>
      (await loadWorkingCopy()).putName(this.#home.directory(lease), name, content),
    );
  }

  async remove(lease: Lease, name: string): Promise<void> {
    this.#home.sessionOf(lease);
    await this.#home.guard(`remove a file of session ${lease.sessionId}`, async () =>
      (await loadWorkingCopy()).removeName(this.#home.directory(lease), name),
    );
  }

  async checkIn(lease: Lease): Promise<void> {
    this.#home.sessionOf(lease);
  }

  async copy(source: SessionKey, target: Lease, names: readonly string[]): Promise<void> {
    this.#home.sessionOf(target);
    const from = this.directoryOf(source);
    await this.#home.guard(`copy the files of session ${source.sessionId}`, async () =>
      (await loadWorkingCopy()).copyNames(from, this.#home.directory(target), names),
    );
  }
}
