/** How methods are written, and how they are called. */
import type { RawResult, StreamedResult } from "@rightseat/protocol";
import type { Connection } from "../rpc/connection.ts";
import type { MethodTable, RequestScope } from "../rpc/method-table.ts";
import type { AnswerOf, MethodName, ParamsOf, ResultOf } from "../rpc/method-types.ts";
import type { Session } from "../session/open/session.ts";
import type { Services } from "./services.ts";

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

/** Makes methods of one session: each is given the session that its parameters name, awake. */
export function withSession({ registry }: Pick<Services, "registry">) {
  return <P extends { sessionId: string }, R>(
    act: (session: Session, params: P, scope: Scope) => R | Promise<R>,
  ) =>
    /** @throws RpcError `session_not_found`, besides what the method throws. */
    (params: P, scope: Scope): Promise<R> =>
      registry
        .use({ tenant: scope.principal.tenant, sessionId: params.sessionId })
        .then((session) => act(session, params, scope));
}
