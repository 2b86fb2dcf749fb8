/**
 * What was allowed for longer than a session: for a location (a repository or a folder), for a web address,
 * and which folders are trusted. One file a tenant, in the shape that the Copilot CLI gives
 * `permissions-config.json`, with fields of our own; every process on the same home reads and changes it.
 */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type PermissionRule, RpcError } from "@rightseat/protocol";
import { readRegularFile } from "../tools/regular-file.ts";
import { type Approval, addRules, isSameRule, rulesOf } from "./rule.ts";

interface KeptLocation {
  tool_approvals?: Approval[];
  rules?: PermissionRule[];
  allowed_directories?: string[];
}

interface KeptFile {
  locations?: Record<string, KeptLocation>;
  allowed_urls?: string[];
  trusted_folders?: string[];
}

/** Another process's changes are seen after this long. */
const RECHECK_MS = 1000;
const LOCK_WAIT_MS = 10;
/** Longer than any change takes: who held the lock is gone. */
const STALE_LOCK_MS = 10_000;
const MAX_LOCATIONS = 10_000;
const MAX_ENTRIES = 1000;
const MAX_BYTES = 64 * 1024 * 1024;

export class KeptPermissions {
  readonly #path: string;
  #content: KeptFile = {};
  #version = "";
  #checkedMs = Number.NEGATIVE_INFINITY;
  #last: Promise<unknown> = Promise.resolve();

  /** @param path of the file, which need not exist. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the file when it may have changed. What cannot be read allows nothing. Does not throw. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#checkedMs < RECHECK_MS) return;
    await this.#read().catch(() => {
      this.#content = {};
      this.#version = "";
    });
  }

  rulesOf(key: string): readonly PermissionRule[] {
    const location = this.#content.locations?.[key];
    if (!location) return [];
    return addRules(location.rules ?? [], (location.tool_approvals ?? []).flatMap(rulesOf));
  }

  directoriesOf(key: string): readonly string[] {
    return this.#content.locations?.[key]?.allowed_directories ?? [];
  }

  get urls(): readonly string[] {
    return this.#content.allowed_urls ?? [];
  }

  get trustedFolders(): readonly string[] {
    return this.#content.trusted_folders ?? [];
  }

  /** @throws RpcError `storage_unavailable`, like everything below. */
  approve(key: string, approval: Approval): Promise<void> {
    return this.#changeLocation(key, (location) => {
      const known = (location.tool_approvals ?? []).map((entry) => JSON.stringify(entry));
      if (!known.includes(JSON.stringify(approval))) append(location, "tool_approvals", approval);
    });
  }

  allowDirectory(key: string, directory: string): Promise<void> {
    return this.#changeLocation(key, (location) => {
      if (!location.allowed_directories?.includes(directory))
        append(location, "allowed_directories", directory);
    });
  }

  changeRules(
    key: string,
    change: { add: readonly PermissionRule[]; remove: readonly PermissionRule[] | "all" },
  ): Promise<void> {
    return this.#changeLocation(key, (location) => {
      location.rules = [...addRules(location.rules ?? [], change.add)];
      if (location.rules.length > MAX_ENTRIES) throw tooMany("rules");
      const { remove } = change;
      const isRemoved = (rule: PermissionRule) =>
        remove === "all" || remove.some((candidate) => isSameRule(candidate, rule));
      location.rules = location.rules.filter((rule) => !isRemoved(rule));
      location.tool_approvals = (location.tool_approvals ?? []).flatMap((approval) =>
        withoutRules(approval, isRemoved),
      );
    });
  }

  allowUrl(pattern: string): Promise<void> {
    return this.#change((file) => {
      if (!file.allowed_urls?.includes(pattern)) append(file, "allowed_urls", pattern);
    });
  }

  trust(folder: string): Promise<void> {
    return this.#change((file) => {
      if (!file.trusted_folders?.includes(folder)) append(file, "trusted_folders", folder);
    });
  }

  #changeLocation(key: string, change: (location: KeptLocation) => void): Promise<void> {
    return this.#change((file) => {
      const locations = (file.locations ??= {});
      const location = Object.hasOwn(locations, key) ? (locations[key] as KeptLocation) : {};
      if (Object.keys(locations).length >= MAX_LOCATIONS) throw tooMany("locations");
      change(location);
      locations[key] = location;
    });
  }

  /** One change after the other, here and in other processes: each begins with what the last one wrote. */
  #change(change: (file: KeptFile) => void): Promise<void> {
    const changed = this.#last.then(async () => {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      const unlock = await lock(`${this.#path}.lock`);
      try {
        await this.#read();
        const content = structuredClone(this.#content);
        change(content);
        await writeWhole(this.#path, JSON.stringify(content, undefined, 2));
        await this.#read();
      } finally {
        await unlock();
      }
    });
    this.#last = changed.catch(() => undefined);
    return changed.catch((cause) => {
      if (cause instanceof RpcError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new RpcError("storage_unavailable", `${this.#path}: ${why}`, {}, { cause });
    });
  }

  /** @throws when it is there and is not what it should be: nobody may write over it then. */
  async #read(): Promise<void> {
    this.#checkedMs = performance.now();
    const found = await stat(this.#path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    const version = found ? `${found.ino} ${found.mtimeNs} ${found.size}` : "none";
    if (version === this.#version) return;
    this.#content = found ? parse(await readText(this.#path)) : {};
    this.#version = version;
  }
}

async function readText(path: string): Promise<string> {
  const bytes = await readRegularFile(path, MAX_BYTES);
  if (bytes === undefined) throw new Error(`expected a regular file of at most ${MAX_BYTES} bytes`);
  return bytes.toString("utf8");
}

function parse(text: string): KeptFile {
  const value = JSON.parse(text) as unknown;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("expected a JSON object");
  const { locations = {}, allowed_urls = [], trusted_folders = [] } = value as Record<string, unknown>;
  if (typeof locations !== "object" || locations === null)
    throw new Error('expected an object as "locations"');
  for (const location of Object.values(locations)) {
    const { tool_approvals = [], rules = [], allowed_directories = [] } = location ?? {};
    const lists = [tool_approvals, rules, allowed_directories];
    if (!lists.every(Array.isArray)) throw new Error("expected lists in each location");
    if (![...tool_approvals, ...rules].every((entry) => typeof entry?.kind === "string"))
      throw new Error('expected a "kind" in each approval and rule');
  }
  if (![allowed_urls, trusted_folders].every(Array.isArray))
    throw new Error('expected lists as "allowed_urls" and "trusted_folders"');
  return value as KeptFile;
}

function append<T, K extends keyof T>(holder: T, name: K, entry: unknown): void {
  const list = (holder[name] ?? []) as unknown[];
  if (list.length >= MAX_ENTRIES) throw tooMany(String(name));
  holder[name] = [...list, entry] as T[K];
}

function tooMany(what: string): RpcError {
  return new RpcError("invalid_params", `there are too many ${what} already; remove some first`);
}

function withoutRules(approval: Approval, isRemoved: (rule: PermissionRule) => boolean): Approval[] {
  const rules = rulesOf(approval);
  const left = rules.filter((rule) => !isRemoved(rule));
  if (left.length === rules.length) return [approval];
  if (approval.kind !== "commands" || left.length === 0) return [];
  return [{ ...approval, commandIdentifiers: left.map((rule) => String(rule.argument)) }];
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(`${text}\n`);
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
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const held = await stat(path).catch(() => undefined);
      if (held && Date.now() - held.mtimeMs > STALE_LOCK_MS) await rm(path, { force: true });
      else await sleep(LOCK_WAIT_MS);
    }
  }
}
