import { expect, test } from "vitest";
import type { ClientLink } from "../members/client-link.ts";
import type { Session } from "../open/session.ts";
import { waitForPrompt } from "./prompt-wait.ts";

/** What a session keeps for a wait. */
function listenedTo() {
  const listeners = new Set<unknown>();
  const listen = (listener: unknown) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const session = { observe: listen, whenGone: listen, slots: undefined } as unknown as Session;
  return { session, listeners };
}

test("a wait for a prompt that is refused leaves nothing with the session", async () => {
  const { session, listeners } = listenedTo();
  const { signal } = new AbortController();
  const waiting = waitForPrompt(session, { messageId: "m", link: {} as ClientLink, signal });
  expect(listeners.size).toBe(2);
  waiting.refused(new Error("no more prompts a minute"));
  await expect(waiting.end).rejects.toThrow("no more prompts a minute");
  expect(listeners.size).toBe(0);
  expect(session.slots).toBeUndefined();
});
