/** Where sessions are kept when nobody says otherwise: files under the configured home. */

import { createFileStore } from "../store/files/file-store.ts";
import type { Store } from "../store/store.ts";
import type { ServerContext } from "./server-context.ts";

export function openStore({ config, logger }: ServerContext): Store {
  return createFileStore({
    home: config.home,
    durability: config.durability,
    log: (message, fields) => logger.warning(message, fields),
  });
}
