/** Methods by which people run commands in a session: `session.shell.*`. */
import {
  type BackgroundCommand,
  cancelToolCall,
  execInBackground,
  runAsToolCall,
  signalBackground,
} from "../session/user-shell.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function sessionShellMethods(services: Services): Methods {
  return {
    "session.shell.exec": async (params: ById & BackgroundCommand, scope: Scope) => ({
      processId: await execInBackground(services.userShell, await sessionOf(services, scope, params), params),
    }),
    "session.shell.kill": async (
      params: ById & { processId: string; signal?: "SIGTERM" | "SIGKILL" | "SIGINT" },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return { killed: signalBackground(session, params.processId, params.signal ?? "SIGTERM") };
    },
    "session.shell.executeUserRequested": async (
      params: ById & { requestId: string; command: string },
      scope: Scope,
    ) => runAsToolCall(services.userShell, await sessionOf(services, scope, params), params),
    "session.shell.cancelUserRequested": async (params: ById & { requestId: string }, scope: Scope) => ({
      cancelled: cancelToolCall(await sessionOf(services, scope, params), params.requestId),
    }),
  };
}
