/**
 * The directory `files/` of a session. Paths are relative to it, with forward slashes; those that leave it
 * are refused, be it by `..` or by a link.
 */
import { lstat, mkdir, opendir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { RpcError } from "@rightseat/protocol";
import { readRegularFile, writeRegularFile } from "../../../tools/regular-file.ts";
import type { OwnedFiles } from "./owned-files.ts";

const FOLDER = "files";

export function workspaceFilesOf({ files, key, lease }: OwnedFiles): WorkspaceFiles {
  return new WorkspaceFiles(join(files.directoryOf(key), FOLDER), () => files.checkIn(lease, FOLDER));
}

export interface FileStat {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly birthtimeMs: number;
}

export interface SavedPaste {
  /** Absolute. */
  readonly filePath: string;
  readonly filename: string;
  readonly sizeBytes: number;
}

/** What a client reads in one piece. */
const MAX_READ_BYTES = 64 * 1024 * 1024;
/** Files and directories that a list may come by. */
const MAX_LISTED = 20_000;

/** Every method that takes a path throws RpcError `invalid_params` for one that cannot be used so. */
export class WorkspaceFiles {
  readonly #root: string;
  readonly #keep: () => Promise<void>;

  /**
   * @param root absolute; made when something is first written.
   * @param keep called after each change; what is changed is kept when it resolves.
   */
  constructor(root: string, keep: () => Promise<void>) {
    this.#root = root;
    this.#keep = keep;
  }

  /** Sorted. @throws RpcError `limit_exceeded` when there are too many to list. */
  async list(): Promise<string[]> {
    const files: string[] = [];
    let seen = 0;
    const directories = [this.#root];
    for (let at = directories.pop(); at !== undefined; at = directories.pop()) {
      for await (const entry of (await opendir(at).catch(ifMissing)) ?? []) {
        seen += 1;
        if (seen > MAX_LISTED) throw tooManyFiles();
        const path = join(at, entry.name);
        if (entry.isDirectory()) directories.push(path);
        else if (entry.isFile()) files.push(relative(this.#root, path).split(sep).join("/"));
      }
    }
    return files.sort();
  }

  async read(path: string): Promise<string> {
    const target = await this.#inside(path);
    const found = await this.#existing(path);
    if (found.size > MAX_READ_BYTES)
      throw refusal("path", `'${path}' has ${found.size} bytes, more than ${MAX_READ_BYTES}`);
    const bytes = await readRegularFile(target, MAX_READ_BYTES).catch(refused("path", path));
    if (bytes) return bytes.toString("utf8");
    throw refusal("path", found.isDirectory ? `'${path}' is a directory` : `'${path}' is not a regular file`);
  }

  async write(path: string, content: string): Promise<"create" | "update"> {
    const target = await this.#inside(path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 }).catch(refused("path", path));
    const existed = (await lstat(target).catch(ifMissing)) !== undefined;
    await writeRegularFile(target, content).catch(refused("path", path));
    await this.#keep();
    return existed ? "update" : "create";
  }

  async stat(path: string): Promise<FileStat> {
    await this.#inside(path);
    return this.#existing(path);
  }

  async createDirectory(path: string, { recursive }: { recursive: boolean }): Promise<void> {
    const target = await this.#inside(path);
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    await mkdir(target, { recursive, mode: 0o700 }).catch(refused("path", path));
    await this.#keep();
  }

  async remove(path: string, options: { recursive: boolean; force: boolean }): Promise<void> {
    const target = await this.#inside(path);
    await rm(target, options).catch(refused("path", path));
    await this.#keep();
  }

  async rename(source: string, destination: string): Promise<void> {
    const from = await this.#inside(source, "source");
    const to = await this.#inside(destination, "destination");
    await rename(from, to).catch(refused("source", source));
    await this.#keep();
  }

  /** Keeps a text under a name of its own. */
  async savePaste(content: string): Promise<SavedPaste> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    for (let stamp = Date.now(); ; stamp += 1) {
      const filename = `paste-${stamp}.txt`;
      const filePath = join(this.#root, filename);
      try {
        await writeFile(filePath, content, { flag: "wx", mode: 0o600 });
        await this.#keep();
        return { filePath, filename, sizeBytes: Buffer.byteLength(content) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }

  async #existing(path: string): Promise<FileStat> {
    const found = await stat(resolve(this.#root, path)).catch(ifMissing).catch(refused("path", path));
    if (!found) throw refusal("path", `there is no file '${path}' in the session's workspace`);
    const { size, mtimeMs, birthtimeMs } = found;
    return { isFile: found.isFile(), isDirectory: found.isDirectory(), size, mtimeMs, birthtimeMs };
  }

  /** The absolute path, once it is sure that neither `..` nor a link leads out. */
  async #inside(path: string, parameter = "path"): Promise<string> {
    const root = this.#root;
    const target = resolve(root, path);
    const outside = () =>
      refusal(parameter, `expected a path within the session's workspace files directory, got '${path}'`);
    if (!target.startsWith(root + sep) || path.includes("\0")) throw outside();
    const realRoot = await realpath(root).catch(ifMissing);
    // Without the directory there are no links in it.
    if (realRoot === undefined) return target;
    for (let at = target; at !== root; at = dirname(at)) {
      if ((await lstat(at).catch(ifMissing).catch(refused(parameter, path))) === undefined) continue;
      // A link that leads nowhere would be followed to where it is made.
      const real = await realpath(at).catch(ifMissing);
      if (real === undefined || !real.startsWith(realRoot + sep)) throw outside();
      break;
    }
    return target;
  }
}

/** For `catch`: undefined for what is not there. */
export function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}

function tooManyFiles(): RpcError {
  return new RpcError(
    "limit_exceeded",
    `the session's workspace has more than ${MAX_LISTED} files and directories, more than are listed; remove some`,
    { limit: "listedFiles", max: MAX_LISTED },
  );
}

function refusal(parameter: string, why: string): RpcError {
  return new RpcError("invalid_params", `${parameter}: ${why}`, { path: parameter });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "is not there, or its directory is not",
  ENOTDIR: "is below something that is no directory",
  EISDIR: "is a directory",
  ERR_FS_EISDIR: "is a directory; 'recursive' removes those",
  EEXIST: "is there already",
  ENOTEMPTY: "is a directory that is not empty",
  EINVAL: "cannot be put there",
  ENXIO: "is not a regular file",
  ENAMETOOLONG: "is too long a name",
};

/** For `catch`: what the path is to blame for becomes the client's error. */
function refused(parameter: string, path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const why = REASONS[error.code ?? ""];
    throw why === undefined ? error : refusal(parameter, `'${path}' ${why}`);
  };
}
