import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";
import { startWorld } from "../src/world.ts";

const enterWorld = shareRuntime();

const QUESTION = { question: "Which colour?", choices: ["red", "blue"] };
const ASK = { toolCalls: [{ name: "ask_user", arguments: QUESTION }] };

describe.each(sdkVersions)("SDK $version", (sdk) => {
  test("the model's question reaches the application, and its answer the model", async () => {
    await using world = await enterWorld();
    world.model.use([ASK, { text: "Blue it is." }]);
    const client = await world.connect(sdk);
    const asked: unknown[] = [];
    const onUserInputRequest = async (question: unknown) => {
      asked.push(question);
      return { answer: "blue", wasFreeform: false };
    };
    const session = await client.createSession(world.session(new SeenEvents(), { onUserInputRequest }));
    expect((await session.sendAndWait({ prompt: "Ask." }))?.data.content).toBe("Blue it is.");
    expect(asked).toEqual([{ ...QUESTION, allowFreeform: true }]);
    expect(toldToModel(world.model.requests[1]).at(-1)).toBe("tool: User selected: blue");
  });

  test("another application goes on with a question when the one that was asked vanishes", async () => {
    await using world = await enterWorld();
    world.model.use([ASK, { text: "Fine." }]);
    const [first, second] = [await world.connect(sdk), await world.connect(sdk)];
    const seen = new SeenEvents();
    const begun = createGate();
    const hang = () => {
      begun.open();
      return new Promise<never>(() => {});
    };
    const session = await first.createSession(world.session(new SeenEvents(), { onUserInputRequest: hang }));
    const onUserInputRequest = async () => ({ answer: "my own words", wasFreeform: true });
    await second.resumeSession(session.sessionId, world.session(seen, { onUserInputRequest }));
    await session.send({ prompt: "Ask." });
    await begun.opened;
    await first.forceStop();
    await seen.until("session.idle");
    expect(toldToModel(world.model.requests[1]).at(-1)).toBe("tool: User responded: my own words");
  });

  test("an application that does not answer in time costs the call, not the turn", async () => {
    await using world = await startWorld({ args: ["--question-deadline", "1"] });
    world.model.use([ASK, { text: "Then I choose." }]);
    const client = await world.connect(sdk);
    const seen = new SeenEvents();
    const onUserInputRequest = () => new Promise<never>(() => {});
    const session = await client.createSession(world.session(seen, { onUserInputRequest }));
    expect((await session.sendAndWait({ prompt: "Ask." }))?.data.content).toBe("Then I choose.");
    expect(seen.of("tool.execution_complete")[0]?.data.error?.code).toBe("timeout");
  });

  test("a handler that throws costs the call, not the turn", async () => {
    await using world = await enterWorld();
    world.model.use([ASK, { text: "Then I choose." }]);
    const client = await world.connect(sdk);
    const onUserInputRequest = () => Promise.reject(new Error("no window"));
    const session = await client.createSession(world.session(new SeenEvents(), { onUserInputRequest }));
    expect((await session.sendAndWait({ prompt: "Ask." }))?.data.content).toBe("Then I choose.");
    expect(toldToModel(world.model.requests[1]).at(-1)).not.toContain("no window");
  });
});

describe("plan mode", () => {
  const SUBMIT = {
    toolCalls: [{ name: "exit_plan_mode", arguments: { summary: "In short", plan: "# Plan" } }],
  };

  test("ends with the application's approval, and the plan is kept", async () => {
    await using world = await enterWorld();
    world.model.use([SUBMIT, { text: "Begun." }]);
    const client = await world.connect(newestSdk);
    const seen = new SeenEvents();
    const onExitPlanModeRequest = async () => ({ approved: true, selectedAction: "interactive" as const });
    const session = await client.createSession(world.session(seen, { onExitPlanModeRequest }));
    await session.rpc.mode.set({ mode: "plan" });
    expect((await session.sendAndWait({ prompt: "Plan it." }))?.data.content).toBe("Begun.");
    expect(seen.of("session.mode_changed").map(({ data }) => data.newMode)).toEqual(["plan", "interactive"]);
    expect(await session.rpc.mode.get()).toBe("interactive");
    expect((await session.rpc.plan.read()).content).toBe("# Plan");
  });

  test("goes on when the application wants something else", async () => {
    await using world = await enterWorld();
    world.model.use([SUBMIT, { text: "Changed." }]);
    const client = await world.connect(newestSdk);
    const onExitPlanModeRequest = async () => ({ approved: false, feedback: "Smaller steps." });
    const session = await client.createSession(world.session(new SeenEvents(), { onExitPlanModeRequest }));
    await session.rpc.mode.set({ mode: "plan" });
    await session.sendAndWait({ prompt: "Plan it." });
    expect(toldToModel(world.model.requests[1]).at(-1)).toContain("Smaller steps.");
    expect(await session.rpc.mode.get()).toBe("plan");
  });
});

test("a task on autopilot ends when the model says that it is complete", async () => {
  await using world = await enterWorld();
  const done = { toolCalls: [{ name: "task_complete", arguments: { summary: "All done." } }] };
  world.model.use([{ text: "Working on it." }, done]);
  const client = await world.connect(newestSdk);
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen));
  await session.rpc.mode.set({ mode: "autopilot" });
  await session.sendAndWait({ prompt: "Do it." });
  expect(seen.of("session.task_complete").map(({ data }) => data.summary)).toEqual(["All done."]);
});
