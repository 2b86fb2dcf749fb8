import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder for what a session works on; gone in the end. */
export interface TempFolder extends AsyncDisposable {
  /** Absolute, without links. */
  readonly path: string;
  /** Makes the file's folders as well. */
  write(file: string, content: string | Uint8Array): Promise<string>;
}

export async function tempFolder(): Promise<TempFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "rightseat-project-")));
  return {
    path,
    async write(file, content) {
      const target = join(path, file);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      return target;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}
