import { close, fsync, open } from "node:fs";
import { promisify } from "node:util";
import { createLimiter } from "./limiter.ts";

const openDirectory: (path: string, flags: string) => Promise<number> = promisify(open);
const syncDescriptor = promisify(fsync);

const limit = createLimiter(16);

/**
 * Makes the entries of directories durable. Calls for one directory that come while its sync is
 * under way share the next one: a thousand sessions created at once cost a few syncs of their parent.
 */
export class DirectorySync {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** Resolves when a sync that began after this call has ended. */
  sync(path: string): Promise<void> {
    const queued = this.#next.get(path);
    if (queued) return queued;
    const running = this.#running.get(path);
    if (!running) return this.#start(path);
    const next = running
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(path);
        return this.#start(path);
      });
    this.#next.set(path, next);
    return next;
  }

  #start(path: string): Promise<void> {
    const running = limit(() => syncOnce(path)).finally(() => this.#running.delete(path));
    this.#running.set(path, running);
    return running;
  }
}

async function syncOnce(path: string): Promise<void> {
  // Windows has no descriptor for a directory, and its journal keeps entries by itself.
  if (process.platform === "win32") return;
  const fd = await openDirectory(path, "r");
  try {
    await syncDescriptor(fd);
  } finally {
    close(fd, () => undefined);
  }
}
