/** HTTP that a client carries: while its next bytes are waited for, whoever wants them waits for the client. */
import type { Fetch } from "../../models/model-provider.ts";

/** Settles as what it is given does, once who waits may go on. */
export type Wait = <T>(answer: () => Promise<T>) => Promise<T>;

export function waitingFetch(fetch: Fetch, wait: Wait): Fetch {
  return async (input, init) => {
    const response = await wait(() => fetch(input, init));
    const { body, status, statusText, headers } = response;
    return body ? new Response(waitingBody(body, wait), { status, statusText, headers }) : response;
  };
}

function waitingBody(body: ReadableStream<Uint8Array>, wait: Wait): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await wait(() => reader.read());
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead: only who reads waits.
    { highWaterMark: 0 },
  );
}
