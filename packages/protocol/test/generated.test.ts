import { expect, expectTypeOf, test } from "vitest";
import {
  EPHEMERAL_EVENT_TYPES,
  type SessionEvent,
  type SessionEventDataMap,
} from "../src/generated/events.ts";
import type { PublishedMethods, RuntimeMethods, SessionCreateParams } from "../src/generated/index.ts";

test("deltas are ephemeral and messages are not", () => {
  expect(EPHEMERAL_EVENT_TYPES.has("assistant.message_delta")).toBe(true);
  expect(EPHEMERAL_EVENT_TYPES.has("assistant.message")).toBe(false);
  expect(EPHEMERAL_EVENT_TYPES.has("user.message")).toBe(false);
});

test("types join methods and events with what they carry", () => {
  expectTypeOf<PublishedMethods["session.send"]["params"]["sessionId"]>().toEqualTypeOf<string>();
  expectTypeOf<PublishedMethods["session.model.list"]["params"]["sessionId"]>().toEqualTypeOf<string>();
  expectTypeOf<RuntimeMethods["session.create"]["params"]>().toEqualTypeOf<SessionCreateParams>();
  expectTypeOf<SessionEventDataMap["assistant.message"]["content"]>().toEqualTypeOf<string>();
  expectTypeOf<keyof SessionEventDataMap>().toEqualTypeOf<SessionEvent["type"]>();
});
