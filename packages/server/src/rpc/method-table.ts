/** What a connection needs of the methods it serves. */
import type { Principal } from "./principal.ts";

/** The client that a request comes from, and the means to talk back. */
export interface RequestScope<Link> {
  readonly principal: Principal;
  readonly link: Link;
  /** How large the request was, as text. */
  readonly bytes: number;
  /** Aborts when the client cancels the request or goes. */
  readonly signal: AbortSignal;
}

/** One method: parameters that its schema has checked in, result out. Throws RpcError for what the client did. */
export type Method<Link> = (params: object, scope: RequestScope<Link>) => unknown;

/** All methods by name, for those who treat them alike. */
export type MethodTable<Link> = Readonly<Record<string, Method<Link>>>;

export interface ValidationIssue {
  readonly path: string;
  readonly message: string;
}

/** Checks the parameters of a method by its schema; undefined when they are as they should be. */
export type ParamsValidators = Readonly<
  Record<string, (params: unknown) => readonly ValidationIssue[] | undefined>
>;
