/** Where tenants' sessions work, from the settings. */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DEFAULT_TENANT } from "../rpc/principal.ts";
import { Places } from "../session/abilities/workspace/places.ts";
import type { SessionFiles } from "../store/session-files.ts";
import type { ServerContext } from "./server-context.ts";

export function createPlaces(
  { config, defaultWorkingDirectory }: ServerContext,
  files: SessionFiles,
  isShared: () => boolean,
): Places {
  return new Places({
    home: { given: config.home, canonical: canonicalSync(resolve(config.home)) },
    tenants: config.tenants,
    workingDirectory: defaultWorkingDirectory,
    defaultTenant: DEFAULT_TENANT,
    directoryOf: (key) => files.directoryOf(key),
    isShared,
  });
}

/** Once, at the start: the home may not be there yet. */
function canonicalSync(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(canonicalSync(parent), basename(path));
  }
}
