import type { ClientLink } from "../members/client-link.ts";
import type { Session } from "./session.ts";

/**
 * Asks one client what only it can say, for as long as a question may wait.
 * @throws as `ClientLink.request`; an Error when the time is over, and the client is told that it is not asked any more
 */
export async function requestInTime(
  session: Session,
  link: ClientLink,
  method: string,
  params: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  const { deadlineMs } = session.questions;
  const ends = new AbortController();
  const give = (reason: unknown) => ends.abort(reason);
  const onAbort = () => give(signal?.reason);
  const timer = setTimeout(() => give(new Error(`no answer within ${deadlineMs / 1000} s`)), deadlineMs);
  timer.unref();
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await link.request(method, params, ends.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
