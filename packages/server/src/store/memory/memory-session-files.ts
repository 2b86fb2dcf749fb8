import { lstat, mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FileEntry, SESSION_FILES, type SessionFiles } from "../session-files.ts";
import { assertValidKey, type Lease, type SessionKey } from "../session-key.ts";
import { isDraft, listFolder, putName, readName, removeName } from "../working-copy.ts";
import { type KeptFile, leaseOf, type MemoryNode, type MemorySession } from "./memory-storage.ts";

/**
 * Files kept in memory, with a working copy in a directory of the node's for each session that it holds. The copy goes
 * when the session is released or deleted. Links are not kept, as the place that they lead to is not.
 */
export class MemorySessionFiles implements SessionFiles {
  readonly #node: MemoryNode;
  readonly #directory: string;
  /** One change of a session's files at a time. */
  readonly #last = new Map<MemorySession, Promise<unknown>>();

  /** @param directory of all working copies; made when it is first needed. */
  constructor(node: MemoryNode, directory: string) {
    this.#node = node;
    this.#directory = directory;
  }

  directoryOf(key: SessionKey): string {
    assertValidKey(key);
    return join(this.#directory, key.tenant, key.sessionId);
  }

  async list(key: SessionKey, folder: string): Promise<readonly FileEntry[]> {
    const session = this.#node.storage.find(key);
    if (session?.owner === this.#node) return listFolder(this.directoryOf(key), folder);
    return [...(session?.files ?? [])].flatMap(([path, { content, modifiedMs }]) => {
      const name = path.slice(folder.length + 1);
      const isThere = path.startsWith(`${folder}/`) && name !== "" && !name.includes("/");
      return isThere ? [{ name, bytes: content.length, modifiedMs }] : [];
    });
  }

  async read(key: SessionKey, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const session = this.#node.storage.find(key);
    if (session?.owner === this.#node) return readName(this.directoryOf(key), name, maxBytes);
    const content = session?.files?.get(name)?.content;
    return content && content.length <= maxBytes ? content : undefined;
  }

  async put(lease: Lease, name: string, content: Uint8Array | string): Promise<void> {
    this.#node.owned(lease);
    await putName(this.directoryOf(lease), name, content);
    await this.checkIn(lease, name);
  }

  async remove(lease: Lease, name: string): Promise<void> {
    this.#node.owned(lease);
    await removeName(this.directoryOf(lease), name);
    await this.checkIn(lease, name);
  }

  checkIn(lease: Lease, name?: string): Promise<void> {
    const session = this.#node.owned(lease);
    const names = name === undefined ? SESSION_FILES : [name];
    return this.#inOrder(session, async () => {
      for (const each of names) await this.#keep(session, each);
    });
  }

  async copy(source: SessionKey, target: Lease, names: readonly string[]): Promise<void> {
    const from = this.#node.storage.find(source);
    const to = this.#node.owned(target);
    if (!from) return;
    if (from.owner === this.#node) await this.checkIn(leaseOf(from));
    for (const [path, file] of from.files ?? [])
      if (names.some((name) => path === name || path.startsWith(`${name}/`))) setFile(to, path, file);
    await this.checkOut(to);
  }

  /** Brings the working copy up to what is kept. */
  checkOut(session: MemorySession): Promise<void> {
    return this.#inOrder(session, () => this.#writeCopy(session));
  }

  async #writeCopy(session: MemorySession): Promise<void> {
    const directory = this.directoryOf(session.key);
    await rm(directory, { recursive: true, force: true });
    for (const [name, { content, modifiedMs }] of session.files ?? []) {
      const path = join(directory, name);
      await mkdir(name.endsWith("/") ? path : dirname(path), { recursive: true, mode: 0o700 });
      if (name.endsWith("/")) continue;
      await writeFile(path, content, { mode: 0o600 });
      await utimes(path, modifiedMs / 1000, modifiedMs / 1000);
    }
  }

  removeCopy(session: MemorySession): Promise<void> {
    return this.#inOrder(session, () => rm(this.directoryOf(session.key), { recursive: true, force: true }));
  }

  async #keep(session: MemorySession, name: string): Promise<void> {
    const there = new Set<string>();
    await this.#keepBelow(session, name, there);
    for (const known of session.files?.keys() ?? [])
      if ((known === name || known.startsWith(`${name}/`)) && !there.has(known)) session.files?.delete(known);
  }

  async #keepBelow(session: MemorySession, name: string, there: Set<string>): Promise<void> {
    const path = join(this.directoryOf(session.key), name);
    const found = await lstat(path).catch(ifMissing);
    if (found?.isDirectory()) {
      there.add(`${name}/`);
      setFile(session, `${name}/`, FOLDER);
      for (const inner of (await readdir(path).catch(ifMissing)) ?? [])
        await this.#keepBelow(session, `${name}/${inner}`, there);
      return;
    }
    if (!found?.isFile() || isDraft(name)) return;
    there.add(name);
    const known = session.files?.get(name);
    if (known?.modifiedMs === found.mtimeMs && known.content.length === found.size) return;
    // One that may not be read stays as it was kept.
    const content = await readFile(path).catch(ifUnreadable);
    if (content) setFile(session, name, { content, modifiedMs: found.mtimeMs });
  }

  #inOrder(session: MemorySession, work: () => Promise<void>): Promise<void> {
    const done = (this.#last.get(session) ?? Promise.resolve()).then(work, work);
    this.#last.set(session, done);
    void done
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(session) === done) this.#last.delete(session);
      });
    return done;
  }
}

function setFile(session: MemorySession, name: string, file: KeptFile): void {
  session.files ??= new Map();
  session.files.set(name, file);
}

const FOLDER = { content: new Uint8Array(), modifiedMs: 0 };

function ifUnreadable(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "EACCES" && error.code !== "EPERM") return ifMissing(error);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}
