/** What methods work with; made by the composition root. */
import type { RawResult, StreamedResult } from "@rightseat/protocol";
import type { GitHubAccounts } from "../accounts/github-accounts.ts";
import type { Instructions } from "../discovery/instructions.ts";
import type { Governor } from "../limits/governor.ts";
import type { ModelDirectory } from "../models/model-directory.ts";
import type { ModelTool } from "../models/model-provider.ts";
import type { Connection } from "../rpc/connection.ts";
import type { MethodTable, RequestScope } from "../rpc/method-table.ts";
import type { AnswerOf, MethodName, ParamsOf, ResultOf } from "../rpc/method-types.ts";
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
  /** Tells the attached clients of a session that it changed. */
  readonly onUpdated: (session: Session) => void;
  /** Ends the server after the answer has gone out. */
  readonly onShutdownRequest: () => Promise<void>;
}

export type Scope = RequestScope<Connection>;

/** A method by its name on the wire: its parameters and its result are those of its schema. */
export type Method<M extends MethodName> = (
  params: ParamsOf<M>,
  scope: Scope,
) => AnswerOf<M> | Promise<AnswerOf<M>>;

/** Methods as they are written. */
export type Methods = { readonly [M in MethodName]?: Method<M> };

/** Methods as they are called: each is given what its own schema has checked, so that whoever calls it need not know its types. */
export type CheckedMethods = MethodTable<Connection>;

export function asCheckedMethods<T extends Methods>(methods: T & WithoutOtherFields<T>): CheckedMethods {
  return methods as Methods as CheckedMethods;
}

/** Objects pass as a type that has fewer fields than they: methods whose results have such fields do not pass here. */
type WithoutOtherFields<T> = {
  readonly [M in keyof T]: [OtherFields<M, T[M]>] extends [never]
    ? unknown
    : { noSuchField: OtherFields<M, T[M]> };
};

type OtherFields<M, Written> = M extends MethodName
  ? Exclude<FieldOf<Exclude<ResultIn<Written>, RawResult | StreamedResult>>, FieldOf<ResultOf<M>>>
  : never;

type ResultIn<Written> = Written extends (...args: never) => infer R ? Awaited<R> : never;

type FieldOf<T> = T extends readonly (infer Item)[] ? FieldOf<Item> : T extends object ? keyof T : never;

/** The session that a request names, awake. @throws RpcError `session_not_found`. */
export function sessionOf(services: Services, scope: Scope, params: { sessionId: string }): Promise<Session> {
  return services.registry.use({ tenant: scope.principal.tenant, sessionId: params.sessionId });
}

/** Makes methods of one session: each is given the session that its parameters name, awake. */
export function withSession(services: Services) {
  return <P extends { sessionId: string }, R>(
    act: (session: Session, params: P, scope: Scope) => R | Promise<R>,
  ) =>
    (params: P, scope: Scope): Promise<R> =>
      sessionOf(services, scope, params).then((session) => act(session, params, scope));
}
