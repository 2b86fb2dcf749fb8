/** What a connection needs of the methods it serves. */
import type { Principal } from "./principal.ts";

/** Who a request comes from, and the means to talk back. */
export interface RequestScope<Link> {
  readonly principal: Principal;
  readonly link: Link;
  /** How large the request was, as text. */
  readonly bytes: number;
  /** Aborts when the client cancels the request or goes. */
  readonly signal: AbortSignal;
}

/** One method: checked parameters in, result out. Throws RpcError for what the client did. */
// biome-ignore lint/suspicious/noExplicitAny: each method declares the parameters its schema has checked
export type Method<Link> = (params: any, scope: RequestScope<Link>) => unknown;

export type MethodTable<Link> = Readonly<Record<string, Method<Link>>>;

export interface ValidationIssue {
  readonly path: string;
  readonly message: string;
}

/** Checks the parameters of a method by its schema; undefined when they are as they should be. */
export type ParamsValidators = Readonly<
  Record<string, (params: unknown) => readonly ValidationIssue[] | undefined>
>;
