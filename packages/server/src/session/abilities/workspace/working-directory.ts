/** Where a session works, and changing that while it is open. */
import { stat } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import type { Reach } from "../../../tools/reach.ts";
import type { Session } from "../../open/session.ts";
import type { Places } from "./places.ts";
import { sessionContext } from "./session-context.ts";

type WorkingContext = SessionEventDataMap["session.context_changed"];

/**
 * The directory, normalised, once it is sure that there is one.
 * @param path how the parameter is called, for the error.
 * @throws RpcError `invalid_params`.
 */
export async function checkWorkingDirectory(
  directory: string,
  path: string,
  place: { readonly places: Places; readonly reach: Reach },
): Promise<string> {
  if (!isAbsolute(directory) || directory.includes("\0")) {
    throw new RpcError("invalid_params", `${path}: expected an absolute path, got '${directory}'`, { path });
  }
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new RpcError(
      "invalid_params",
      `${path}: expected a directory that exists and can be read, got '${directory}'`,
      { path },
    );
  }
  await place.places.check(place.reach, directory, path);
  return resolve(directory);
}

/** Moves the session there: what follows runs there, and clients are told by `session.context_changed`. */
export async function moveSession(session: Session, directory: string): Promise<void> {
  const context = await sessionContext(session.settings, directory);
  session.say({ workingDirectory: directory });
  session.append("session.context_changed", context);
}

/**
 * What a client found out of the session's directory. Nothing is kept for any other directory: the session
 * is moved by `moveSession` alone.
 */
export function recordContext(
  session: Session,
  services: { readonly defaultWorkingDirectory: string },
  context: WorkingContext,
): void {
  if (resolve(context.cwd) !== resolve(workingDirectoryOf(services, session))) return;
  session.append("session.context_changed", context);
}

/** Where its tools work. */
export function workingDirectoryOf(
  services: { readonly defaultWorkingDirectory: string },
  session: Pick<Session, "settings">,
): string {
  return session.settings.workingDirectory ?? services.defaultWorkingDirectory;
}
