/** The server's own tools, and what they keep. */
import type { Governor } from "../limits/governor.ts";
import { toHosts } from "../network/address-guard.ts";
import { SessionToolHost, type ToolHostServices } from "../session/abilities/tools/tool-host.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { Session } from "../session/open/session.ts";
import { Slot } from "../session/open/slot.ts";
import { type BuiltInTools, createBuiltInTools } from "../tools/built-in.ts";
import { setChildNiceness } from "../tools/child-priority.ts";
import type { SessionTodos } from "../tools/session-todos.ts";
import type { Network } from "./network.ts";
import type { ServerContext } from "./server-context.ts";

/** The server's own tools of a session. */
export type BuiltInToolsOf = (session: Session) => BuiltInTools;

export interface ToolParts {
  readonly network: Network;
  readonly places: Places;
  readonly governor: Governor;
  readonly isShared: () => boolean;
}

/** The niceness of processes of tenants that share a server, unless the configuration says otherwise. */
const SHARED_NICENESS = 10;

const builtInTools = new Slot<BuiltInTools>();

/** Made for each session when its first model call offers them. */
export function createTools(
  context: ServerContext,
  { network, places, governor, isShared }: ToolParts,
): BuiltInToolsOf {
  const { config, defaultWorkingDirectory, logger } = context;
  setChildNiceness(() => config.childNiceness ?? (isShared() ? SHARED_NICENESS : 0));
  const services: ToolHostServices = {
    environment: config.environment,
    privateHosts: toHosts(config.fetchPrivateHosts),
    proxies: network.proxies,
    defaultWorkingDirectory,
    places,
    processes: governor,
    admitStoring: (tenant, bytes) => governor.admitStoring(tenant, bytes),
    onNotKept: (error, session) =>
      logger.warning("what a file held could not be kept before it was changed", {
        sessionId: session.id,
        error,
      }),
  };
  return (session) =>
    builtInTools.ensure(session, () => {
      const own = createBuiltInTools(new SessionToolHost(services, session));
      session.whenGone(() => own.dispose());
      return own;
    });
}

/** @throws Error when the session's database cannot be read. */
export async function todosOf(session: Session, signal: AbortSignal): Promise<SessionTodos> {
  const { readTodos } = await import("../tools/sql/session-database.ts");
  return readTodos(session.directory, signal);
}
