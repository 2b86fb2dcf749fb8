/** Methods by which people run commands in a session: `session.shell.*`. */
import {
  type BackgroundCommand,
  cancelToolCall,
  execInBackground,
  runAsToolCall,
  signalBackground,
} from "../session/abilities/tools/user-shell.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function sessionShellMethods(services: Services): Methods {
  return {
    "session.shell.exec": async (params: ById & BackgroundCommand, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { processId: await execInBackground(services.userShell, session, params) };
    },
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
    ) => {
      const session = await sessionOf(services, scope, params);
      return runAsToolCall(services.userShell, session, params);
    },
    "session.shell.cancelUserRequested": async (params: ById & { requestId: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { cancelled: cancelToolCall(session, params.requestId) };
    },
  };
}
