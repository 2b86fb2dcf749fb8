/** What a session's working directory belongs to, as far as the session wants to know. */
import type { SessionSettings } from "../../members/session-settings.ts";
import { resolveWorkingContext, type WorkingContext } from "./working-context.ts";

/** Nothing but the directory for a session that wants no git operations on this machine. Never rejects. */
export function sessionContext(settings: SessionSettings, cwd: string): Promise<WorkingContext> {
  return settings.enableHostGitOperations === false
    ? Promise.resolve({ cwd })
    : resolveWorkingContext(cwd, settings.confinement);
}
