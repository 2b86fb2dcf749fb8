/** Methods by which people run commands in a session: `session.shell.*`. */
import {
  cancelToolCall,
  execInBackground,
  runAsToolCall,
  signalBackground,
} from "../session/abilities/tools/user-shell.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function sessionShellMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.shell.exec": ofSession(async (session, params) => ({
      processId: await execInBackground(services.userShell, session, params),
    })),
    "session.shell.kill": ofSession((session, params) => ({
      killed: signalBackground(session, params.processId, params.signal ?? "SIGTERM"),
    })),
    "session.shell.executeUserRequested": ofSession((session, params) =>
      runAsToolCall(services.userShell, session, params),
    ),
    "session.shell.cancelUserRequested": ofSession((session, params) => ({
      cancelled: cancelToolCall(session, params.requestId),
    })),
  } satisfies Methods;
}
