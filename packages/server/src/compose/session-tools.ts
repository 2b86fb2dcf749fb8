/** The server's own tools, and what they keep. */

import { SessionToolHost, type ToolHostServices } from "../session/abilities/tools/tool-host.ts";
import type { Session } from "../session/open/session.ts";
import type { EventLog } from "../store/event-log.ts";
import { type BuiltInTools, createBuiltInTools } from "../tools/built-in.ts";
import type { SessionTodos } from "../tools/session-todos.ts";

/** The server's own tools of each session, made when its first model call offers them. */
export function createBuiltInToolStore(services: ToolHostServices): (session: Session) => BuiltInTools {
  const made = new WeakMap<Session, BuiltInTools>();
  return (session) => {
    const known = made.get(session);
    if (known) return known;
    const own = createBuiltInTools(new SessionToolHost(services, session));
    session.whenGone(() => own.dispose());
    made.set(session, own);
    return own;
  };
}

const NO_TODOS: SessionTodos = { rows: [], dependencies: [] };

export async function todosOf(log: EventLog, session: Session, signal: AbortSignal): Promise<SessionTodos> {
  const directory = log.workspacePath(session.key);
  if (directory === undefined) return NO_TODOS;
  const { readTodos } = await import("../tools/sql/session-database.ts");
  return readTodos(directory, signal);
}
