/** What the tools of one session may reach, from where things are. */
import { join } from "node:path";
import { isInside } from "./paths.ts";
import type { Access, Reach } from "./reach.ts";

/** All paths canonical. */
export interface ReachOptions {
  readonly home: string;
  /** The session's own directory, where the store keeps one. */
  readonly session: string | undefined;
  /** The folder under the home where the tenant's sessions work that name no other. */
  readonly workspace: string;
  /** What the tenant's sessions never leave, as it is configured now. */
  readonly root: () => string | undefined;
}

/** What the operator tells all sessions: tools read it, and never change it. */
const OPERATORS = ["copilot-instructions.md", "instructions", "agents"];
/** What of a session's own directory its tools may change. Its log is in there, too. */
export const OWN = ["files", "temp", "plan.md"];

export function createReach({ home, session, workspace, root }: ReachOptions): Reach {
  const isOwn = (path: string, access: Access) => {
    if (isInside(path, workspace)) return true;
    if (session === undefined) return false;
    if (access === "read") return isInside(path, session);
    return OWN.some((name) => isInside(path, join(session, name)));
  };
  return {
    hidden: home,
    refuses: (path, access) => {
      if (isOwn(path, access)) return undefined;
      if (isInside(path, home)) {
        const isOperators = OPERATORS.some((name) => isInside(path, join(home, name)));
        if (!isOperators) return "It is in the server's home, which tools have no access to.";
        if (access === "read") return undefined;
        return "It is in the server's home: instructions and agents there are the operator's to change.";
      }
      const within = root();
      return within === undefined || isInside(path, within) ? undefined : `It is outside of ${within}.`;
    },
  };
}
