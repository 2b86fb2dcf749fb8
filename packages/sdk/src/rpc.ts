/** `client.rpc` and `session.rpc`: every method of the published contract as a function in its namespace. */
import type {
  NEWER_SERVER_METHOD_NAMES,
  NEWER_SESSION_METHOD_NAMES,
  NewerMethods,
  PublishedMethods,
  ServerMethodName,
  SessionMethodName,
} from "@rightseat/protocol";
import type { CallOptions } from "./call-options.ts";

/** Calls a method by its full name. */
export type RpcCall = (method: string, params: object | undefined, options?: CallOptions) => Promise<unknown>;

type Method = { params: unknown; result: unknown };

// biome-ignore lint/suspicious/noConfusingVoidType: a method that returns nothing returns null on the wire
type ResultOf<M extends Method> = M["result"] extends null ? void : M["result"];

type RpcFunction<M extends Method, Given extends string> =
  Record<never, never> extends Omit<M["params"], Given>
    ? (params?: Omit<M["params"], Given>, options?: CallOptions) => Promise<ResultOf<M>>
    : (params: Omit<M["params"], Given>, options?: CallOptions) => Promise<ResultOf<M>>;

type Rest<Name extends string, Prefix extends string> = Name extends `${Prefix}${infer R}` ? R : never;
type Head<R extends string> = R extends `${infer H}.${string}` ? H : never;

type Methods = PublishedMethods & NewerMethods;

type Functions<Name extends string, Prefix extends string, Given extends string> = {
  [M in keyof Methods as M extends Name
    ? Rest<M, Prefix> extends `${string}.${string}`
      ? never
      : Rest<M, Prefix>
    : never]: RpcFunction<Methods[M], Given>;
};

type Namespaces<Name extends string, Prefix extends string, Given extends string> = {
  readonly [H in Head<Rest<Name, Prefix>>]: Rpc<Name, `${Prefix}${H}.`, Given>;
};

/** The methods of `Name` below `Prefix`, as a tree; parameters in `Given` are filled in. */
type Rpc<Name extends string, Prefix extends string, Given extends string> = Functions<Name, Prefix, Given> &
  Namespaces<Name, Prefix, Given>;

/** Methods of the server as a whole. */
export type ServerRpc = Rpc<
  Exclude<ServerMethodName, "connect"> | (typeof NEWER_SERVER_METHOD_NAMES)[number],
  "",
  never
>;

/** Methods of one session; its id is filled in. */
export type SessionRpc = Rpc<
  SessionMethodName | (typeof NEWER_SESSION_METHOD_NAMES)[number],
  "session.",
  "sessionId"
>;

/** The functions of a tree of methods, each made when its namespace is first looked at. */
export function createRpc<T>(names: readonly string[], prefix: string, call: RpcCall): T {
  const node: Record<string, unknown> = {};
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [head = "", ...rest] = name.slice(prefix.length).split(".");
    if (rest.length === 0) {
      node[head] = (params?: object, options?: CallOptions) => call(name, params, options);
    } else if (!(head in node)) {
      let namespace: unknown;
      Object.defineProperty(node, head, {
        enumerable: true,
        get: () => (namespace ??= createRpc(names, `${prefix}${head}.`, call)),
      });
    }
  }
  return node as T;
}

/** Methods beside the reading ones that leave things the same when they are called twice. */
const REPEATABLE: ReadonlySet<string> = new Set([
  "ping",
  "session.options.update",
  "session.mode.set",
  "session.name.set",
  "session.model.switchTo",
  "session.model.setReasoningEffort",
  "session.permissions.setApproveAll",
  "session.plan.update",
  "session.abort",
  "session.getMessages",
  "session.eventLog.tail",
  "session.eventLog.registerInterest",
]);

const READING =
  /\.(get|list|read|is|has|stat|pending|current|search|find|preview|activity|handlePending)([A-Z]\w*)?$/;

/** Whether a call may be made again when the connection took its answer with it. */
export function isRepeatable(method: string): boolean {
  return READING.test(method) || REPEATABLE.has(method);
}
