/**
 * What was allowed for longer than a session: for a location (a repository or a folder), for a web address,
 * and which folders are trusted. One document a tenant, in the shape that the Copilot CLI gives
 * `permissions-config.json`, with fields of our own; every process on the same store reads and changes it.
 */
import { type PermissionRule, RpcError } from "@rightseat/protocol";
import type { DocumentText, TenantDocument } from "../store/tenant-store.ts";
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
const MAX_LOCATIONS = 10_000;
const MAX_ENTRIES = 1000;

export class KeptPermissions {
  readonly #document: TenantDocument;
  #content: KeptFile = {};
  #version: string | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;

  constructor(document: TenantDocument) {
    this.#document = document;
  }

  /** Reads the document when it may have changed. What cannot be read allows nothing. Does not throw. */
  async refresh(): Promise<void> {
    if (performance.now() - this.#checkedMs < RECHECK_MS) return;
    await this.#read().catch(() => {
      this.#content = {};
      this.#version = undefined;
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

  /** Each change begins with what the last one wrote, wherever that was. */
  async #change(change: (file: KeptFile) => void): Promise<void> {
    try {
      const changed = await this.#document.change((text) => {
        const content = text === undefined ? {} : parse(text);
        change(content);
        return `${JSON.stringify(content, undefined, 2)}\n`;
      });
      this.#take(changed);
    } catch (cause) {
      if (cause instanceof RpcError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new RpcError("storage_unavailable", `what is allowed could not be kept: ${why}`, {}, { cause });
    }
  }

  /** @throws when it is there and is not what it should be. */
  async #read(): Promise<void> {
    this.#checkedMs = performance.now();
    const version = await this.#document.version();
    if (version !== undefined && version === this.#version) return;
    this.#take(version === undefined ? undefined : await this.#document.read());
  }

  #take(found: DocumentText | undefined): void {
    this.#content = found ? parse(found.text) : {};
    this.#version = found?.version;
    this.#checkedMs = performance.now();
  }
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
