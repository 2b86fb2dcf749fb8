import { ConnectionClosedError, RemoteError } from "@rightseat/protocol";
import { expect, test } from "vitest";
import type { Channel } from "../connection/channel.ts";
import { Prompts } from "./prompts.ts";

/** A connection on which every request ends with an error. */
const failing = (error: Error) =>
  ({ isOpen: true, request: async () => Promise.reject(error) }) as unknown as Channel;
const settled = () => new Promise(setImmediate);

test("a prompt that was lost, and whose session is not known afterwards, may be done", async () => {
  const lost = failing(new ConnectionClosedError());
  const unknown = failing(new RemoteError(-32000, "not found", { reason: "session_not_found" }));
  let channel = lost;
  const prompts = new Prompts({
    channel: () => channel,
    onSessionUnknown: () => undefined,
    giveUpAfterMs: 1000,
  });
  prompts.takesMessageIds = true;
  const sent = prompts.send({ messageId: "m" }).catch((error) => error);
  await settled();
  channel = unknown;
  prompts.flush();
  await settled();
  prompts.fail(new Error("the session was left"));
  expect(await sent).toMatchObject({ maybeDone: true });
});
