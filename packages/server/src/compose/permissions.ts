/** Services that permissions are judged with, and the permissions that tenants keep. */
import { tmpdir } from "node:os";
import { KeptPermissions } from "../permissions/kept-permissions.ts";
import type { PermissionServices } from "../session/abilities/permissions/permissions.ts";
import { toolDirectories } from "../session/abilities/tools/tool-host.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { TenantStore } from "../store/tenant-store.ts";
import type { ServerContext } from "./server-context.ts";

export function createPermissions(
  { defaultWorkingDirectory }: ServerContext,
  tenants: TenantStore,
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
      const own = new KeptPermissions(tenants.document(tenant, "permissions"));
      kept.set(tenant, own);
      return own;
    },
    ownDirectories: toolDirectories,
  };
}
