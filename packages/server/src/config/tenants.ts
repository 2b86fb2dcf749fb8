/** Reads `tenants` of the config file: where on the disk the sessions of each work. */
import { realpathSync, statSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { ConfigError } from "./config-error.ts";
import { Section } from "./sections.ts";

export interface TenantDirectories {
  /** What its sessions never leave. Absolute, without links. */
  readonly root?: string;
  /** The working directory of sessions that name none. Absolute, without links. */
  readonly workingDirectory?: string;
}

/** @throws ConfigError naming the setting, what was expected and what came. */
export function readTenants(value: unknown): Readonly<Record<string, TenantDirectories>> {
  if (value === undefined) return {};
  const entries = Object.entries(new Section("tenants", value).entries());
  return Object.fromEntries(entries.map(([tenant, own]) => [tenant, readTenant(`tenants.${tenant}`, own)]));
}

function readTenant(where: string, value: unknown): TenantDirectories {
  const section = new Section(where, value, ["root", "workingDirectory"]);
  const root = directory(section, "root");
  const workingDirectory = directory(section, "workingDirectory");
  if (root !== undefined && workingDirectory !== undefined && isOutside(workingDirectory, root))
    throw section.fail("workingDirectory", `a directory in ${root}`, workingDirectory);
  return {
    ...(root === undefined ? {} : { root }),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
  };
}

function directory(section: Section, key: string): string | undefined {
  const path = section.text(key);
  if (path === undefined) return undefined;
  const expected = "the absolute path of a directory that is there";
  if (!isAbsolute(path)) throw section.fail(key, expected, path);
  try {
    const canonical = realpathSync.native(path);
    if (statSync(canonical).isDirectory()) return canonical;
  } catch (error) {
    throw new ConfigError(`${section.where}.${key}: expected ${expected} (${(error as Error).message})`, {
      cause: error,
    });
  }
  throw section.fail(key, expected, path);
}

function isOutside(path: string, root: string): boolean {
  const rest = relative(root, path);
  return rest === ".." || rest.startsWith("../") || isAbsolute(rest);
}
