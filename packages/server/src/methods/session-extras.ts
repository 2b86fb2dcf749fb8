/**
 * Methods about what a local session on this server has none of, each answered with what is so
 * (`session.completions.*`, `visibility`, `telemetry`, `lsp`, `plugins`), and the check of its tools.
 */

import { toRpcError } from "../session/abilities/context/manual-compaction.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function sessionExtrasMethods(services: Services) {
  const ofSession = withSession(services);
  /** The session is there, and the answer is the same for all of them. */
  const always = <T>(result: T) => ofSession(() => result);
  const withoutEffect = (method: string, why: string) =>
    ofSession((session, _params, scope) => {
      warnOfFields(session, scope.link, [`'${method}' has no effect: ${why}`]);
      return null;
    });
  return {
    // Completions are the host's, and a local session has no host but its clients.
    "session.completions.getTriggerCharacters": always({ triggerCharacters: [] }),
    "session.completions.request": always({ items: [] }),
    "session.visibility.get": always({ synced: false }),
    "session.visibility.set": always({ synced: false }),
    "session.telemetry.getEngagementId": always({}),
    "session.telemetry.setFeatureOverrides": withoutEffect(
      "session.telemetry.setFeatureOverrides",
      "the server sends no telemetry",
    ),
    "session.lsp.initialize": withoutEffect("session.lsp.initialize", "there are no language servers"),
    "session.plugins.list": always({ plugins: [] }),
    "session.plugins.reload": always(null),
    "session.tools.initializeAndValidate": ofSession(async (session) => {
      const model = await services.runs.resolveModel(session, session.settings).catch((error) => {
        throw toRpcError(error);
      });
      services.runs.toolSet(session);
      session.emit("session.tools_updated", { model: model.id });
      return {};
    }),
  } satisfies Methods;
}
