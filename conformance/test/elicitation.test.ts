import type { ElicitationContext } from "@github/copilot-sdk";
import { expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";

const enterWorld = shareRuntime();

test("a form is answered by another application's person, with content of its fields", async () => {
  await using world = await enterWorld();
  const [asker, person] = [await world.connect(newestSdk), await world.connect(newestSdk)];
  const seen = new SeenEvents();
  const session = await asker.createSession(world.session(seen));
  expect(session.capabilities.ui?.elicitation).toBe(false);
  await expect(session.ui.confirm("Sure?")).rejects.toThrow("not supported");
  const asked: ElicitationContext[] = [];
  const answers = [{ confirmed: true }, { selection: "staging" }, { value: "Ada" }];
  await person.resumeSession(
    session.sessionId,
    world.session(new SeenEvents(), {
      onElicitationRequest: async (context) => {
        asked.push(context);
        return { action: "accept", content: answers[asked.length - 1] ?? {} };
      },
    }),
  );
  await seen.until("capabilities.changed");
  expect(session.capabilities.ui?.elicitation).toBe(true);
  expect(await session.ui.confirm("Sure?")).toBe(true);
  expect(await session.ui.select("Where?", ["staging", "production"])).toBe("staging");
  expect(await session.ui.input("Who?")).toBe("Ada");
  expect(asked.map(({ message }) => message)).toEqual(["Sure?", "Where?", "Who?"]);
  expect(seen.of("elicitation.completed").map(({ data }) => data.action)).toEqual([
    "accept",
    "accept",
    "accept",
  ]);
});

test("a form that is declined, or whose handler throws, is no", async () => {
  await using world = await enterWorld();
  const client = await world.connect(newestSdk);
  const onElicitationRequest = async ({ message }: ElicitationContext) => {
    if (message === "Who?") throw new Error("there is no window to ask in");
    return { action: "decline" as const };
  };
  const session = await client.createSession(world.session(new SeenEvents(), { onElicitationRequest }));
  expect(await session.ui.confirm("Sure?")).toBe(false);
  expect(await session.ui.input("Who?")).toBe(null);
});

test("a form waits for its person to come back, and is shown again", async () => {
  await using world = await enterWorld();
  const [asker, person] = [await world.connect(newestSdk), await world.connect(newestSdk)];
  const seen = new SeenEvents();
  const session = await asker.createSession(world.session(seen));
  const shown = createGate();
  const onElicitationRequest = () => {
    shown.open();
    return new Promise<never>(() => {});
  };
  const hang = { onElicitationRequest };
  await person.resumeSession(session.sessionId, world.session(new SeenEvents(), hang));
  await seen.until("capabilities.changed");
  const confirming = session.ui.confirm("Sure?");
  await shown.opened;
  await person.forceStop();
  await seen.until("capabilities.changed", 2);
  const back = await world.connect(newestSdk);
  const accept = {
    onElicitationRequest: async () => ({ action: "accept" as const, content: { confirmed: true } }),
  };
  await back.resumeSession(session.sessionId, world.session(new SeenEvents(), accept));
  expect(await confirming).toBe(true);
});
