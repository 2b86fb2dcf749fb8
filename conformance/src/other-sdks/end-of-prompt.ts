/** What becomes of a prompt, for tests on the bare wire. */
import type { WireMessage } from "../frames.ts";
import type { RawClient } from "../raw-client.ts";

const ANSWER_TIMEOUT_MS = 60_000;

/** How a prompt ends: the answer, or what the error is and says. */
export async function endOf(client: RawClient, sessionId: string, prompt: string): Promise<string> {
  await client.request("session.send", { sessionId, prompt });
  const { result } = await within(client, sessionId);
  const events = (result as { events: { type: string; data: Record<string, unknown> }[] }).events;
  const from = events.findLastIndex(({ type }) => type === "user.message");
  const last = events
    .slice(from)
    .findLast(({ type }) => type === "assistant.message" || type === "session.error");
  const { content, errorType, message } = last?.data ?? {};
  return last?.type === "session.error" ? `${errorType}: ${message}` : String(content ?? "nothing");
}

/** The conversation, once nothing is under way. */
async function within(client: RawClient, sessionId: string): Promise<WireMessage> {
  for (const end = Date.now() + ANSWER_TIMEOUT_MS; Date.now() < end; ) {
    const { result } = await client.request("session.metadata.activity", { sessionId });
    if (!(result as { hasActiveWork?: boolean }).hasActiveWork)
      return client.request("session.getMessages", { sessionId });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return client.request("session.getMessages", { sessionId });
}
