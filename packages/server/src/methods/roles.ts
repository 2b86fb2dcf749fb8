/**
 * The least role that may call a method. Whatever is not named here needs a user: a method that is
 * new is closed to observers until somebody decides otherwise.
 */
import type { MethodName } from "../rpc/method-types.ts";
import type { Role } from "../rpc/principal.ts";

/** They concern the whole server, and with it every tenant. */
const ADMIN: ReadonlySet<string> = new Set<MethodName>(["runtime.shutdown"]);

/** They change nothing, cost next to nothing, and tell only what the tenant may know. */
const OBSERVER: ReadonlySet<string> = new Set<MethodName>([
  "ping",
  "status.get",
  "auth.getStatus",
  "session.list",
  "session.getMetadata",
  "session.getLastId",
  "session.getForeground",
  "session.resume",
  "session.detach",
  "session.destroy",
  "session.getMessages",
  "session.eventLog.read",
]);

/** They change nothing and are called all the time: the audit log has every other call. */
const NOT_AUDITED: ReadonlySet<string> = new Set<MethodName>([
  "ping",
  "status.get",
  "auth.getStatus",
  "session.list",
  "session.getMetadata",
  "session.getLastId",
  "session.getForeground",
  "session.getMessages",
  "session.eventLog.read",
]);

export function isAudited(method: string): boolean {
  return !NOT_AUDITED.has(method);
}

export function roleFor(method: string): Role {
  if (OBSERVER.has(method)) return "observer";
  return ADMIN.has(method) ? "admin" : "user";
}
