/** How long an answer may take before the caller is told to come back. */
const ANSWER_DEADLINE_MS = 120_000;

/**
 * Chats as sessions: the session id is the chat's own, so any process of this API can go on with any
 * chat, after any restart. Messages of one chat are answered one after the other.
 *
 * @param {ReturnType<import("./runtime.mjs").createRuntime>} runtime
 * @param {{ model?: string }} options `model`: left out, the server's own default
 */
export function createConversations(runtime, { model } = {}) {
  /** Session id to the end of the work that is under way in it. */
  const busy = new Map();

  async function inTurn(sessionId, work) {
    const before = busy.get(sessionId) ?? Promise.resolve();
    const mine = before.then(work);
    const settled = mine.catch(() => {});
    busy.set(sessionId, settled);
    try {
      return await mine;
    } finally {
      if (busy.get(sessionId) === settled) busy.delete(sessionId);
    }
  }

  async function open(sessionId) {
    const client = await runtime.connect();
    const config = { model, streaming: true, availableTools: ["custom:*"] };
    const known = await client.getSessionMetadata(sessionId);
    return known ? client.resumeSession(sessionId, config) : client.createSession({ ...config, sessionId });
  }

  return {
    /**
     * @param {{ sessionId: string, message: string, onDelta?: (text: string) => void, signal?: AbortSignal }} request
     * `signal` ends the turn when nobody waits for its answer any more
     * @returns {Promise<string>} the whole answer
     */
    ask: ({ sessionId, message, onDelta, signal }) =>
      inTurn(sessionId, async () => {
        signal?.throwIfAborted();
        const session = await open(sessionId);
        const abort = () => session.abort().catch(() => {});
        signal?.addEventListener("abort", abort, { once: true });
        if (onDelta) session.on("assistant.message_delta", ({ data }) => onDelta(data.deltaContent));
        try {
          const answer = await session.sendAndWait({ prompt: message }, ANSWER_DEADLINE_MS);
          return answer?.data.content ?? "";
        } finally {
          signal?.removeEventListener("abort", abort);
          // Lets go of the session here; the server keeps the conversation.
          await session.disconnect().catch(() => {});
        }
      }),
  };
}
