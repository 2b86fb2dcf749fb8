/** Methods by which people run commands in a session: `session.shell.*`. Loaded with the first command. */
import type { BackgroundCommand } from "../session/tools/user-shell.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

const load = () => import("../session/tools/user-shell.ts");

export function sessionShellMethods(services: Services): Methods {
  return {
    "session.shell.exec": async (params: ById & BackgroundCommand, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const { execInBackground } = await load();
      return { processId: await execInBackground(services.userShell, session, params) };
    },
    "session.shell.kill": async (
      params: ById & { processId: string; signal?: "SIGTERM" | "SIGKILL" | "SIGINT" },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const { signalBackground } = await load();
      return { killed: signalBackground(session, params.processId, params.signal ?? "SIGTERM") };
    },
    "session.shell.executeUserRequested": async (
      params: ById & { requestId: string; command: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return (await load()).runAsToolCall(services.userShell, session, params);
    },
    "session.shell.cancelUserRequested": async (params: ById & { requestId: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { cancelled: (await load()).cancelToolCall(session, params.requestId) };
    },
  };
}
