/** One writer a file: calls of one answer run side by side, and two edits must not undo each other. */

const last = new Map<string, Promise<unknown>>();

/** Runs the job when those before it for the same canonical path have ended, however they did. */
export async function withFileLock<T>(canonical: string, job: () => Promise<T>): Promise<T> {
  const running = (last.get(canonical) ?? Promise.resolve()).then(job, job);
  last.set(canonical, running);
  try {
    return await running;
  } finally {
    if (last.get(canonical) === running) last.delete(canonical);
  }
}
