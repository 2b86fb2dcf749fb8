/** Folders and files under the home that an older version, another program or a loose umask left open to others. */
import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./errors.ts";
import { defaultTenant, runDirectory, stateDirectory, tenantsDirectory } from "./layout.ts";

export type TightenLog = (message: string, fields: Record<string, unknown>) => void;

const OTHERS = 0o077;

/**
 * Closes what holds all the rest: nobody else comes by a folder of mode 0700. The home itself is left as it is,
 * since other programs may keep things there. Never rejects: what cannot be closed is told.
 */
export async function tightenHome(home: string, log: TightenLog): Promise<void> {
  if (process.platform === "win32") return;
  const paths = [stateDirectory(home, defaultTenant), tenantsDirectory(home), runDirectory(home)];
  paths.push(join(home, "permissions-config.json"));
  await Promise.all(paths.map((path) => tighten(path, log)));
}

async function tighten(path: string, log: TightenLog): Promise<void> {
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) === 0) return;
    await chmod(path, mode & 0o700);
    log("others could use this path; now the server's user alone can", { path });
  } catch (error) {
    const code = errorCode(error);
    if (code !== "ENOENT")
      log("others can use this path, and the server cannot close it to them", { path, code });
  }
}
