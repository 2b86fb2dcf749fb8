/** Methods on the mode that a session works in. */

import { RpcError } from "@rightseat/protocol";
import { announceChange } from "../session/open/change-session.ts";
import { setMode } from "../session/open/session-mode.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function sessionModeMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.mode.get": ofSession((session) => session.state.mode),
    "session.mode.set": ofSession(async (session, params) => {
      if (params.planModel !== undefined)
        throw new RpcError(
          "not_supported",
          "session.mode.set: planModel: this server plans with the session's model; leave it out, or switch with session.model.switchTo",
          { path: "planModel" },
        );
      // What `status` and `modelChanged` tell of is the model, which a mode does not change here.
      const answer = { status: "unchanged", modelChanged: false };
      if (params.expectedMode !== undefined && params.expectedMode !== session.state.mode)
        return { ...answer, modeApplied: false };
      if (setMode(session, params.mode)) {
        announceChange(session);
        await session.committed();
      }
      return { ...answer, modeApplied: true };
    }),
  } satisfies Methods;
}
