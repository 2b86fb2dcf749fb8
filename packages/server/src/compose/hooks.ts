/** Services of the hooks of sessions. */
import { createDiscoveryCache } from "../discovery/discovery-cache.ts";
import type { Governor } from "../limits/governor.ts";
import type { HookServices } from "../session/abilities/hooks/session-hooks.ts";
import { workingDirectoryOf } from "../session/abilities/workspace/working-directory.ts";
import type { EventLog } from "../store/event-log.ts";
import type { ServerContext } from "./server-context.ts";

export function createHooks(context: ServerContext, log: EventLog, governor: Governor): HookServices {
  const { config, logger } = context;
  return {
    deadlineMs: config.hookDeadline * 1000,
    transcriptPath: ({ key }) => log.fileOf(key),
    workingDirectory: (session) => workingDirectoryOf(context, session),
    onWarning: (message, fields) => logger.warning(message, fields),
    // Few sessions take hooks from files.
    discover: createDiscoveryCache(async (query) => {
      const { discoverHooks } = await import("../methods/seldom-loaded.ts");
      return discoverHooks(query);
    }),
    environment: () => config.environment,
    takeProcess: (tenant) => governor.takeProcess(tenant),
  };
}
