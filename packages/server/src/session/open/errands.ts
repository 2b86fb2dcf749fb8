/**
 * Work that clients ask of a session beside its runs: commands of their own, side questions. It keeps the
 * session awake, and ends before the session does.
 */
export interface Errand {
  readonly controller: AbortController;
  /** Never rejects. */
  readonly done: Promise<unknown>;
}

/** A session, as far as errands go. */
interface Errands {
  errands: Set<Errand> | undefined;
}

/** Does the work; its controller aborts when the session ends. @throws what the work throws. */
export function runErrand<T>(
  session: Errands,
  controller: AbortController,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const working = work(controller.signal);
  const errand: Errand = { controller, done: working.catch(() => undefined) };
  session.errands ??= new Set();
  session.errands.add(errand);
  return working.finally(() => {
    session.errands?.delete(errand);
    if (session.errands?.size === 0) session.errands = undefined;
  });
}

/** Ends all of them; resolves when they have written what they had to write. */
export async function endErrands(session: Errands): Promise<void> {
  const errands = [...(session.errands ?? [])];
  for (const errand of errands) errand.controller.abort(new Error("the session has ended"));
  await Promise.all(errands.map((errand) => errand.done));
}
