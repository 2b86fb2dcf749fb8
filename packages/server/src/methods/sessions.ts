/** Methods that make, find and let go of sessions: `session.create`, `resume`, `list`, `delete`, `detach`, … */
import { RawResult } from "@rightseat/protocol";
import type { ParamsOf } from "../rpc/method-types.ts";
import type { SettingsParams } from "../session/members/session-settings.ts";
import { abortRun } from "../session/runs/run.ts";
import { createSession, type JoinResult, resumeSession } from "../sessions/join-session.ts";
import { type Methods, type Scope, withSession } from "./method.ts";
import type { Services } from "./services.ts";
import { toWireSummary, toWireSummaryJson } from "./wire-summary.ts";

export function sessionsMethods(services: Services) {
  const ofSession = withSession(services);
  const { registry } = services;
  const detach = async ({ sessionId }: ParamsOf<"session.detach">, scope: Scope) => {
    const session = registry.find({ tenant: scope.principal.tenant, sessionId });
    // A session that went to another process, or was closed meanwhile, is left already.
    if (!session) return { success: true };
    registry.detach(session, scope.link, "left");
    if (session.closing) await session.closed;
    return { success: true };
  };
  /** A client that went while its session was made was taken off before it was put on. */
  const creating = async (scope: Scope, params: SettingsParams): Promise<JoinResult> => {
    const created = await createSession(services.join, scope.principal.tenant, scope.link, params);
    const session = registry.find({ tenant: scope.principal.tenant, sessionId: created.sessionId });
    if (session && scope.signal.aborted) registry.detach(session, scope.link, "lost");
    return created;
  };
  return {
    "session.create": (params, scope) => creating(scope, params),
    "session.resume": (params, scope) => {
      const { tenant, role } = scope.principal;
      const as = role === "observer" ? "observer" : "participant";
      return resumeSession(
        services.join,
        { tenant, link: scope.link, signal: scope.signal, role: as },
        params,
      );
    },
    "session.detach": detach,
    "session.destroy": detach,
    "session.delete": async ({ sessionId }, scope) => {
      const deleted = await registry.delete({ tenant: scope.principal.tenant, sessionId });
      return deleted ? { success: true } : { success: false, error: `Session not found: ${sessionId}` };
    },
    "session.list": async ({ filter }, scope) => {
      const sessions = await registry.store.catalogue.list(scope.principal.tenant, filter ?? {});
      return new RawResult(`{"sessions":[${sessions.map(toWireSummaryJson).join(",")}]}`);
    },
    "session.getMetadata": async ({ sessionId }, scope) => {
      const summary = await registry.store.catalogue
        .get({ tenant: scope.principal.tenant, sessionId })
        .catch(() => undefined);
      return summary ? { session: toWireSummary(summary) } : {};
    },
    "session.getLastId": async (_params, scope) => {
      const [last] = await registry.store.catalogue.list(scope.principal.tenant, { limit: 1 });
      return last ? { sessionId: last.sessionId } : {};
    },
    // A foreground session is one that a terminal shows; a headless server has no terminal.
    "session.getForeground": () => ({}),
    "session.setForeground": () => ({
      success: false,
      error: "Not running in TUI+server mode: a headless server has no foreground session",
    }),
    "session.shutdown": ofSession(async (session, params) => {
      await registry.close(session, { reason: params.type === "error" ? "error" : "user_exit" });
      return null;
    }),
    "session.suspend": ofSession(async (session) => {
      await abortRun(session);
      await session.committed();
      await session.checkpoint();
      return null;
    }),
  } satisfies Methods;
}
