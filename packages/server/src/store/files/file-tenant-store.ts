import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { assertValidTenant } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import type { DocumentText, TenantDocument, TenantDocumentName, TenantStore } from "../tenant-store.ts";
import { errorCode, isMissing } from "./errors.ts";
import type { FileHome } from "./file-home.ts";
import { defaultTenant, tenantsDirectory } from "./layout.ts";

const LOCK_WAIT_MS = 10;
/** Longer than any change takes: who held the lock is gone. */
const STALE_LOCK_MS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The Copilot CLI's names. */
const FILES: Readonly<Record<TenantDocumentName, string>> = { permissions: "permissions-config.json" };

/** A file a document; every process on the same home reads and changes it. */
export class FileTenantStore implements TenantStore {
  readonly #home: FileHome;

  constructor(home: FileHome) {
    this.#home = home;
  }

  document(tenant: string, name: TenantDocumentName): TenantDocument {
    assertValidTenant(tenant);
    const folder =
      tenant === defaultTenant ? this.#home.path : join(tenantsDirectory(this.#home.path), tenant);
    return new FileDocument(join(folder, FILES[name]), this.#home);
  }
}

class FileDocument implements TenantDocument {
  readonly #path: string;
  readonly #home: FileHome;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, home: FileHome) {
    this.#path = path;
    this.#home = home;
  }

  version(): Promise<string | undefined> {
    return this.#home.guard(`look at ${this.#path}`, () => versionOf(this.#path));
  }

  read(): Promise<DocumentText | undefined> {
    return this.#home.guard(`read ${this.#path}`, () => this.#read());
  }

  change(edit: (text: string | undefined) => string): Promise<DocumentText> {
    const changed = this.#last.then(() => this.#change(edit));
    this.#last = changed.catch(() => undefined);
    return changed;
  }

  async #change(edit: (text: string | undefined) => string): Promise<DocumentText> {
    const guard = <T>(run: () => Promise<T>) => this.#home.guard(`change ${this.#path}`, run);
    const unlock = await guard(async () => {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      return lock(`${this.#path}.lock`);
    });
    try {
      const text = edit((await this.read())?.text);
      return await guard(async () => {
        await writeWhole(this.#path, text);
        return { text, version: (await versionOf(this.#path)) ?? "" };
      });
    } finally {
      await unlock();
    }
  }

  async #read(): Promise<DocumentText | undefined> {
    const version = await versionOf(this.#path);
    return version === undefined ? undefined : { text: await readText(this.#path), version };
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  return found && `${found.ino} ${found.mtimeNs} ${found.size}`;
}

/** Never waits for the other end of a pipe. */
async function readText(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > MAX_BYTES)
      throw new StoreError("corrupt", `${path}: expected a regular file of at most ${MAX_BYTES} bytes`);
    return found.size === 0 ? "" : await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Waits until nobody else has it. Resolves with what gives it back. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await (await open(path, "wx", 0o600)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      const held = await stat(path).catch(() => undefined);
      if (held && Date.now() - held.mtimeMs > STALE_LOCK_MS) await rm(path, { force: true });
      else await sleep(LOCK_WAIT_MS);
    }
  }
}
