/**
 * Work that clients ask of a session beside its runs: commands of their own, side questions. It keeps the
 * session awake, and ends before the session does.
 */
export interface SideWork {
  readonly controller: AbortController;
  /** Never rejects. */
  readonly done: Promise<unknown>;
}

/** A session, as far as its side work goes. */
interface SideWorkers {
  sideWork: Set<SideWork> | undefined;
}

/** Does the work; its controller aborts when the session ends. @throws what the work throws. */
export function doBeside<T>(
  session: SideWorkers,
  controller: AbortController,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const working = work(controller.signal);
  const begun: SideWork = { controller, done: working.catch(() => undefined) };
  session.sideWork ??= new Set();
  session.sideWork.add(begun);
  return working.finally(() => {
    session.sideWork?.delete(begun);
    if (session.sideWork?.size === 0) session.sideWork = undefined;
  });
}

/** Ends all of them; resolves when they have written what they had to write. */
export async function endSideWork(session: SideWorkers): Promise<void> {
  const underWay = [...(session.sideWork ?? [])];
  for (const { controller } of underWay) controller.abort(new Error("the session has ended"));
  await Promise.all(underWay.map(({ done }) => done));
}
