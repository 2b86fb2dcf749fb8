/** Services that permissions are judged with, and the permissions that tenants keep. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeptPermissions } from "../permissions/kept-permissions.ts";
import { DEFAULT_TENANT } from "../rpc/principal.ts";
import type { PermissionServices } from "../session/abilities/permissions/permissions.ts";
import { toolDirectories } from "../session/abilities/tools/tool-host.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { ServerContext } from "./server-context.ts";

export function createPermissions(
  { config: { home }, defaultWorkingDirectory }: ServerContext,
  places: Places,
): PermissionServices {
  const kept = new Map<string, KeptPermissions>();
  return {
    defaultWorkingDirectory,
    placeOf: (session) => places.placeOf(session),
    tempDirectory: tmpdir(),
    kept: (tenant) => {
      const known = kept.get(tenant);
      if (known) return known;
      // The default tenant's is where the Copilot CLI has it.
      const folder = tenant === DEFAULT_TENANT ? home : join(home, "tenants", tenant);
      const own = new KeptPermissions(join(folder, "permissions-config.json"));
      kept.set(tenant, own);
      return own;
    },
    ownDirectories: toolDirectories,
  };
}
