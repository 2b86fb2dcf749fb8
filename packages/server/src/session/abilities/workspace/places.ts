/** Where on the disk the sessions of each tenant may work, and what is the server's own. */
import { mkdir } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { RpcError } from "@rightseat/protocol";
import type { SessionKey } from "../../../store/session-key.ts";
import { createReach } from "../../../tools/create-reach.ts";
import { canonicalPath, isInside } from "../../../tools/paths.ts";
import type { Access, Reach } from "../../../tools/reach.ts";
import type { Confinement } from "../../members/confinement.ts";
import type { SessionSettings } from "../../members/session-settings.ts";

/** What the operator says of one tenant. Canonical paths of directories that are there. */
export interface TenantPlace {
  readonly root?: string;
  /** The working directory of sessions that name none; default the root. */
  readonly workingDirectory?: string;
}

export interface PlacesOptions {
  /** As it was configured, and without links. */
  readonly home: { readonly given: string; readonly canonical: string };
  readonly tenants: Readonly<Record<string, TenantPlace>>;
  /** Where the server was started, unless that is in its home. */
  readonly workingDirectory: string;
  /** The tenant of those who bring the shared secret, or nothing to an open server. */
  readonly defaultTenant: string;
  /** A session's own directory, as the store names it. */
  readonly directoryOf: (key: SessionKey) => string;
  /** Whether the server has several tenants now. */
  readonly isShared: () => boolean;
}

export class Places {
  readonly #options: PlacesOptions;
  #tenants: PlacesOptions["tenants"];

  constructor(options: PlacesOptions) {
    this.#options = options;
    this.#tenants = options.tenants;
  }

  /** Sessions that are open are held to the new roots as well. */
  reload(tenants: PlacesOptions["tenants"]): void {
    this.#tenants = tenants;
  }

  /** How far up from a directory its project is looked for: undefined for a server of one. */
  confinementOf(tenant: string): Confinement | undefined {
    const rootOf = () => this.#placeOf(tenant)?.root;
    if (rootOf() === undefined && !this.#options.isShared()) return undefined;
    return {
      get root() {
        return rootOf();
      },
    };
  }

  /** Where a session works that names no directory. Makes the folder that the server keeps for a tenant. */
  async defaultDirectory(tenant: string): Promise<string> {
    const place = this.#placeOf(tenant);
    const configured = place?.workingDirectory ?? place?.root;
    if (configured !== undefined) return configured;
    const { defaultTenant, workingDirectory, home } = this.#options;
    const isServers = await canonicalPath(workingDirectory).then(
      (path) => !isInside(path, home.canonical),
      () => false,
    );
    if (tenant === defaultTenant && isServers) return workingDirectory;
    const own = this.#workspaceOf(tenant, home.given);
    await mkdir(own, { recursive: true, mode: 0o700 });
    return own;
  }

  reachOf(key: SessionKey): Reach {
    const { given, canonical } = this.#options.home;
    const directory = this.#options.directoryOf(key);
    const isUnderHome = isInside(directory, resolve(given));
    return this.#reach(key.tenant, isUnderHome ? join(canonical, relative(given, directory)) : directory);
  }

  /** What a tenant may reach without a session. */
  reachOfTenant(tenant: string): Reach {
    return this.#reach(tenant, undefined);
  }

  #reach(tenant: string, session: string | undefined): Reach {
    const { canonical } = this.#options.home;
    return createReach({
      home: canonical,
      session,
      workspace: this.#workspaceOf(tenant, canonical),
      root: () => this.#placeOf(tenant)?.root,
    });
  }

  /** What `checkWorkingDirectory` takes. */
  placeOf({ key }: { readonly key: SessionKey }) {
    return { places: this, reach: this.reachOf(key) };
  }

  /**
   * @param path how the parameter is called, for the error.
   * @throws RpcError `invalid_params` for a directory that the session may not use.
   */
  async check(reach: Reach, directory: string, path: string, access: Access = "write"): Promise<void> {
    const canonical = await canonicalPath(directory).catch(() => directory);
    const refusal = reach.refuses(canonical, access);
    if (refusal === undefined) return;
    throw new RpcError(
      "invalid_params",
      `${path}: expected a directory that this session may use, got '${directory}'. ${refusal}`,
      { path },
    );
  }

  /** Every directory that settings name. @throws as `check`. */
  async checkSettings(reach: Reach, settings: SessionSettings, workingDirectory: string): Promise<void> {
    const at = (directory: string) => resolve(workingDirectory, directory);
    await this.check(reach, workingDirectory, "workingDirectory");
    const { largeOutput, instructionDirectories, agentDirectories, hookDirectories } = settings;
    if (largeOutput?.outputDir) await this.check(reach, at(largeOutput.outputDir), "largeOutput.outputDir");
    for (const [name, directories = []] of Object.entries({
      instructionDirectories,
      agentDirectories,
      hookDirectories,
    }))
      for (const [index, directory] of directories.entries())
        await this.check(reach, at(directory), `${name}[${index}]`, "read");
  }

  #placeOf(tenant: string): TenantPlace | undefined {
    return Object.hasOwn(this.#tenants, tenant) ? this.#tenants[tenant] : undefined;
  }

  #workspaceOf(tenant: string, home: string): string {
    return tenant === this.#options.defaultTenant
      ? join(home, "workspace")
      : join(home, "tenants", tenant, "workspace");
  }
}
