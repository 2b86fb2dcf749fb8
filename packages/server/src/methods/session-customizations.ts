/** Methods that have files read again which tell a session what to do, and those on skills. */

import type { CustomizationsReloadResult } from "@rightseat/protocol";
import { agentsOf, tellAgents } from "../session/abilities/agents/agents.ts";
import { fileHooksOf, hasFileHooks } from "../session/abilities/hooks/session-hooks.ts";
import type { Session } from "../session/open/session.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

const NOT_LOADED = ["plugins", "mcp", "extensions", "skills"] as const;

export function sessionCustomizationMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    // A file that changes is read again by itself, within a second: this is for those who cannot wait.
    "session.instructions.reload": ofSession(() => {
      services.sources.load.forget();
      return null;
    }),
    "session.customizations.reload": ofSession(async (session) => {
      const { load, loadAgents } = services.sources;
      const { hooks } = services.runs;
      for (const discovery of [load, loadAgents, hooks.discover]) discovery.forget();
      tellAgents(session, await agentsOf(session, services.join.agents));
      const { errors } = await fileHooksOf(hooks, session);
      return { warnings: [], errors: [...errors], outcomes: outcomesOf(session, errors) };
    }),
    "session.skills.list": ofSession(() => ({ skills: [] })),
    "session.skills.reload": ofSession(() => ({ warnings: [], errors: [] })),
  } satisfies Methods;
}

type Outcome = CustomizationsReloadResult["outcomes"][number];

function outcomesOf({ settings }: Session, hookErrors: readonly string[]): Outcome[] {
  const reloaded = (subsystem: string): Outcome => ({ subsystem, status: "reloaded" });
  const skipped = (subsystem: string, detail: string): Outcome => ({ subsystem, status: "skipped", detail });
  const [failed] = hookErrors;
  const hooks: Outcome = hasFileHooks(settings)
    ? failed === undefined
      ? reloaded("hooks")
      : { subsystem: "hooks", status: "failed", detail: failed }
    : skipped("hooks", "the session has neither 'enableFileHooks' nor 'hookDirectories'");
  return [
    reloaded("instructions"),
    hooks,
    reloaded("agents"),
    ...NOT_LOADED.map((subsystem) => skipped(subsystem, "this server loads none")),
  ];
}
