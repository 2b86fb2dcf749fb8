import { expect, test } from "vitest";
import { Announcements } from "../../announcements/announcements.ts";
import { ClientInferences } from "../members/client-inferences.ts";
import type { ClientLink } from "../members/client-link.ts";
import type { SettingsPatch } from "../members/said-settings.ts";
import { toAttachment } from "../members/session-settings.ts";
import { modelQueryOf } from "./model-query.ts";
import { Session } from "./session.ts";

const link: ClientLink = { id: "c1", publish: () => undefined, request: async () => ({}) };

/** A session whose one client carries its model traffic. */
function carried(settings: SettingsPatch): Session {
  const session = new Session({
    store: {} as never,
    lease: { tenant: "t", sessionId: "s", generation: 1 },
    questionDeadlineMs: 1,
    onBroken: () => undefined,
    onSignal: () => undefined,
    announcements: new Announcements(() => undefined),
  });
  session.say(settings, link);
  session.attachments.set(link, toAttachment(link, {}));
  return session;
}

test.each([
  { capi: undefined, socket: true },
  { capi: { enableWebSocketResponses: true }, socket: true },
  { capi: { enableWebSocketResponses: false }, socket: false },
])("with capi $capi a client's WebSocket is used: $socket", async ({ capi, socket }) => {
  const inferences = new ClientInferences();
  await inferences.register(link);
  const query = modelQueryOf(carried({ capi }), inferences, true);
  expect(query.fetch).toBeDefined();
  expect(query.socketFetch !== undefined).toBe(socket);
});
