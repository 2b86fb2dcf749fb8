/**
 * The one way by which the application's callbacks are called where nothing waits for what they say. One that
 * throws or rejects stops nothing: it is told to `onWarning`, and on the console when that fails, too.
 */
import { inspect } from "node:util";
import { toError } from "./errors.ts";

/** Tells the application what nobody else is told. Never throws. */
export type Warn = (message: string, details: Record<string, unknown>) => void;

export interface Callbacks {
  readonly warn: Warn;
  /** Calls a callback, if there is one, and waits for nothing. `what` names it in warnings. */
  readonly tell: <A extends readonly unknown[]>(
    what: string,
    callback: ((...args: A) => unknown) | undefined,
    ...args: A
  ) => void;
}

export function createCallbacks(onWarning: Warn | undefined): Callbacks {
  const warn: Warn = (message, details) => {
    if (!onWarning) return emitWarning(message, details);
    callSafely(
      () => onWarning(message, details),
      (error) => print(message, details, error),
    );
  };
  return {
    warn,
    tell: (what, callback, ...args) => {
      if (!callback) return;
      callSafely(
        () => callback(...args),
        (error) => warn(`${what} failed`, { error }),
      );
    },
  };
}

/** @param onError is called once, with an Error, when the callback throws, or rejects later. */
export function callSafely(callback: () => unknown, onError: (error: Error) => void): void {
  const fail = (error: unknown) => onError(toError(error));
  try {
    const returned = callback();
    if (isThenable(returned)) returned.then(undefined, fail);
  } catch (error) {
    fail(error);
  }
}

/** Whether a value is waited for. @throws what its `then` throws when it is read */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

function emitWarning(message: string, details: Record<string, unknown>): void {
  process.emitWarning(message, { type: "RightseatWarning", detail: show(details) });
}

function print(message: string, details: Record<string, unknown>, error: Error): void {
  // biome-ignore lint/suspicious/noConsole: the application's own way to be told has just failed
  console.error(`${message} ${show(details)}; onWarning failed: ${error.message}`);
}

function show(details: Record<string, unknown>): string {
  try {
    return inspect(details);
  } catch {
    return "(details that cannot be shown)";
  }
}
