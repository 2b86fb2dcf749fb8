/** Where sessions are kept when nobody says otherwise: files under the configured home. */
import type { EventLog } from "../store/event-log.ts";
import { createFileEventLog } from "../store/files/file-event-log.ts";
import type { ServerContext } from "./server-context.ts";

export function openStore({ config, logger }: ServerContext): EventLog {
  return createFileEventLog({
    home: config.home,
    durability: config.durability,
    log: (message, fields) => logger.warning(message, fields),
  });
}
