/** What methods work with; made by the composition root. */
import type { GitHubAccounts } from "../accounts/github-accounts.ts";
import type { Instructions } from "../discovery/instructions.ts";
import type { Governor } from "../limits/governor.ts";
import type { ModelDirectory } from "../models/model-directory.ts";
import type { ModelTool } from "../models/model-provider.ts";
import type { CommandServices } from "../session/abilities/commands/command-types.ts";
import type { SurroundingServices } from "../session/abilities/context/surroundings.ts";
import type { UserShellServices } from "../session/abilities/tools/user-shell.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { ClientInferences } from "../session/members/client-inferences.ts";
import type { Session } from "../session/open/session.ts";
import type { RunServices } from "../session/runs/run.ts";
import type { JoinServices } from "../sessions/join-session.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { SessionTodos } from "../tools/session-todos.ts";
import type { ShellTasks } from "../tools/shell-task.ts";

export interface Services {
  readonly version: string;
  readonly registry: SessionRegistry;
  readonly runs: RunServices;
  readonly join: JoinServices;
  readonly shellTasksOf: (session: Session) => Promise<ShellTasks>;
  readonly userShell: UserShellServices;
  readonly places: Places;
  readonly commands: CommandServices;
  readonly models: ModelDirectory;
  readonly accounts: GitHubAccounts;
  readonly inferences: ClientInferences;
  /** The server's own, for any session; some are offered in certain modes only. */
  readonly toolDefinitions: readonly ModelTool[];
  /** What files define, for sessions and without one. */
  readonly sources: SurroundingServices;
  /** What files tell the session's model, besides its clients. */
  readonly instructionsOf: (session: Session) => Promise<Instructions>;
  /** The server's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The todos that the session's model keeps. @throws Error when they cannot be read. */
  readonly todosOf: (session: Session, signal: AbortSignal) => Promise<SessionTodos>;
  /** The server's own GitHub token. */
  readonly gitHubToken: string | undefined;
  /** Whether clients may be told credentials of a session's provider. */
  readonly allowProviderEndpoint: boolean;
  readonly integrationId: string;
  /** GitHub's Copilot API, where the server was told one. */
  readonly copilotApiUrl: string | undefined;
  readonly governor: Governor;
  /** Ends the server after the answer has gone out. */
  readonly onShutdownRequest: () => Promise<void>;
}
