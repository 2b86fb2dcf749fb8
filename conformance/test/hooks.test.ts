import type { SessionConfig, Tool } from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import { createGate } from "../src/gate.ts";
import { newestSdk, oldestSdk, sdkVersions } from "../src/sdk-versions.ts";
import { SeenEvents } from "../src/seen-events.ts";
import { shareRuntime } from "../src/share-runtime.ts";
import { toldToModel } from "../src/told-to-model.ts";
import type { World } from "../src/world.ts";

type SessionHooks = NonNullable<SessionConfig["hooks"]>;

const enterWorld = shareRuntime();

/** A tool that looks things up and notes what it was asked for. */
function createLookup() {
  const keys: unknown[] = [];
  const tool: Tool<{ key: string }> = {
    name: "look_up",
    description: "Looks a value up",
    parameters: { type: "object", properties: { key: { type: "string" } } },
    handler: ({ key }: { key: string }) => {
      keys.push(key);
      return `the value of ${key}`;
    },
  };
  return { tool, keys };
}

const CALL = { toolCalls: [{ name: "look_up", arguments: { key: "a" } }] };

/** One prompt to a session with these hooks and the tool; the last answer. */
async function askOnce(
  world: World,
  client: Awaited<ReturnType<World["connect"]>>,
  hooks: SessionHooks,
  more: Partial<SessionConfig> = {},
) {
  const seen = new SeenEvents();
  const session = await client.createSession(world.session(seen, { hooks, ...more }));
  const answer = await session.sendAndWait({ prompt: "What is a?" });
  return { session, seen, answer: answer?.data.content };
}

describe.each(sdkVersions)("hooks of SDK $version", (sdk) => {
  test("are called at every step, for the session they were given to", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "It is 1." }]);
    const client = await world.connect(sdk);
    const called: [string, string][] = [];
    const note = (name: string) => (_input: unknown, invocation: { sessionId: string }) => {
      called.push([name, invocation.sessionId]);
    };
    const { session } = await askOnce(
      world,
      client,
      {
        onSessionStart: note("sessionStart"),
        onUserPromptSubmitted: note("userPromptSubmitted"),
        onPreToolUse: note("preToolUse"),
        onPostToolUse: note("postToolUse"),
        onErrorOccurred: note("errorOccurred"),
        onSessionEnd: note("sessionEnd"),
      },
      { tools: [createLookup().tool] },
    );
    await session.disconnect();
    const names = ["sessionStart", "userPromptSubmitted", "preToolUse", "postToolUse", "sessionEnd"];
    expect(called).toEqual(names.map((name) => [name, session.sessionId]));
  });

  test("deny a tool call, and the tool does not run", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "I may not look." }]);
    const { tool, keys } = createLookup();
    const { answer } = await askOnce(
      world,
      await world.connect(sdk),
      { onPreToolUse: () => ({ permissionDecision: "deny", permissionDecisionReason: "a is private" }) },
      { tools: [tool] },
    );
    expect(answer).toBe("I may not look.");
    expect(keys).toEqual([]);
    expect(toldToModel(world.model.requests[1]).at(-1)).toContain("a is private");
  });

  test("allow a tool call for which nobody is asked then", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "It is 1." }]);
    const { tool, keys } = createLookup();
    let asked = 0;
    const onPermissionRequest: SessionConfig["onPermissionRequest"] = () => {
      asked += 1;
      return { kind: "reject" };
    };
    await askOnce(
      world,
      await world.connect(sdk),
      { onPreToolUse: () => ({ permissionDecision: "allow" }) },
      { tools: [tool], onPermissionRequest },
    );
    expect({ asked, keys }).toEqual({ asked: 0, keys: ["a"] });
  });

  test("change what a tool is called with and what the model reads of it", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "It is 2." }]);
    const { tool, keys } = createLookup();
    await askOnce(
      world,
      await world.connect(sdk),
      {
        onPreToolUse: () => ({ modifiedArgs: { key: "b" }, additionalContext: "b is the new a" }),
        onPostToolUse: ({ toolResult }) => ({
          modifiedResult: { ...toolResult, textResultForLlm: "2", resultType: "success" },
        }),
      },
      { tools: [tool] },
    );
    expect(keys).toEqual(["b"]);
    const told = toldToModel(world.model.requests[1]);
    expect(told.slice(1, 3)).toEqual(["assistant: 1 calls", "tool: 2"]);
    expect(told[3]).toContain("b is the new a");
  });

  test("change a prompt for the model, and add to it", async () => {
    await using world = await enterWorld();
    const { seen } = await askOnce(world, await world.connect(sdk), {
      onSessionStart: () => ({ additionalContext: "Answers are short." }),
      onUserPromptSubmitted: ({ prompt }) => ({
        modifiedPrompt: `${prompt} Now!`,
        additionalContext: "It is urgent.",
      }),
    });
    const [start, prompt] = toldToModel(world.model.requests[0]);
    expect(start).toBe("user: Answers are short.");
    expect(prompt).toMatch(/^user: What is a\? Now!\n\n<system_reminder>\nIt is urgent\.\n/);
    expect(seen.of("user.message")[0]?.data.content).toBe("What is a?");
  });

  test("have a failed model call tried again", async () => {
    await using world = await enterWorld();
    world.model.use([{ status: 400 }, { text: "It is 1." }]);
    const errors: string[] = [];
    const { answer, seen } = await askOnce(world, await world.connect(sdk), {
      onErrorOccurred: ({ errorContext, error }) => {
        errors.push(`${errorContext}: ${typeof error}`);
        return { errorHandling: "retry", retryCount: 1 };
      },
    });
    expect(answer).toBe("It is 1.");
    expect(errors).toEqual(["model_call: string"]);
    expect(seen.of("session.error")).toEqual([]);
  });

  test("that throw change nothing", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "It is 1." }]);
    const { tool, keys } = createLookup();
    const fail = () => {
      throw new Error("a bug of the application");
    };
    const { answer, session } = await askOnce(
      world,
      await world.connect(sdk),
      {
        onSessionStart: fail,
        onUserPromptSubmitted: fail,
        onPreToolUse: fail,
        onPostToolUse: fail,
        onSessionEnd: fail,
      },
      { tools: [tool] },
    );
    await session.disconnect();
    expect(answer).toBe("It is 1.");
    expect(keys).toEqual(["a"]);
  });

  test("that never answer end with the run that waits for them", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const asked = createGate();
    const seen = new SeenEvents();
    const onUserPromptSubmitted = () => {
      asked.open();
      return new Promise<never>(() => undefined);
    };
    const session = await client.createSession(world.session(seen, { hooks: { onUserPromptSubmitted } }));
    await session.send({ prompt: "What is a?" });
    await asked.opened;
    await session.abort();
    await seen.until("session.idle");
    expect(world.model.requests).toEqual([]);
    expect(seen.of("abort")).toHaveLength(1);
  });

  test("of a client that vanishes are not waited for", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "It is 1." }]);
    const [stays, vanishes] = [await world.connect(sdk), await world.connect(sdk)];
    const { tool } = createLookup();
    const asked = createGate();
    const [seen, other] = [new SeenEvents(), new SeenEvents()];
    const session = await stays.createSession(world.session(seen, { tools: [tool] }));
    const onPreToolUse = () => {
      asked.open();
      return new Promise<never>(() => undefined);
    };
    await vanishes.resumeSession(session.sessionId, world.session(other, { hooks: { onPreToolUse } }));
    const answered = session.sendAndWait({ prompt: "What is a?" });
    await asked.opened;
    await vanishes.forceStop();
    expect((await answered)?.data.content).toBe("It is 1.");
  });

  test("are called again after a resume, which they are told of", async () => {
    await using world = await enterWorld();
    const client = await world.connect(sdk);
    const sources: string[] = [];
    const hooks: SessionHooks = { onSessionStart: ({ source }) => void sources.push(source) };
    const { session } = await askOnce(world, client, hooks);
    await session.disconnect();
    const resumed = await client.resumeSession(session.sessionId, world.session(new SeenEvents(), { hooks }));
    await resumed.sendAndWait({ prompt: "And b?" });
    expect(sources).toEqual(["new", "resume"]);
  });
});

describe(`hooks that only SDK ${newestSdk.version} has`, () => {
  test("are told of the prompt as the model would read it, and replace it", async () => {
    await using world = await enterWorld();
    const read: string[] = [];
    await askOnce(world, await world.connect(newestSdk), {
      onUserPromptTransformed: ({ transformedPrompt }) => {
        read.push(transformedPrompt);
        return { modifiedTransformedPrompt: "What is b?" };
      },
    });
    expect(read[0]).toContain("What is a?");
    expect(toldToModel(world.model.requests[0])).toEqual(["user: What is b?"]);
  });

  test("guide the model after a failed tool call", async () => {
    await using world = await enterWorld();
    world.model.use([CALL, { text: "I will try b." }]);
    const failing: Tool = {
      name: "look_up",
      parameters: { type: "object", properties: {} },
      handler: () => ({ textResultForLlm: "no a here", resultType: "failure" }) as const,
    };
    const errors: string[] = [];
    const { answer } = await askOnce(
      world,
      await world.connect(newestSdk),
      {
        onPostToolUseFailure: ({ error }) => {
          errors.push(error);
          return { additionalContext: "Try b." };
        },
      },
      { tools: [failing] },
    );
    expect(answer).toBe("I will try b.");
    expect(errors).toEqual(["no a here"]);
    expect(toldToModel(world.model.requests[1]).at(-1)).toContain("Try b.");
  });

  test("keep the agent going until they are content", async () => {
    await using world = await enterWorld();
    world.model.use([{ text: "Done." }, { text: "Tested." }]);
    const active: (boolean | undefined)[] = [];
    const { answer, seen } = await askOnce(world, await world.connect(newestSdk), {
      onAgentStop: ({ stopHookActive }) => {
        active.push(stopHookActive);
        return stopHookActive ? undefined : { decision: "block", reason: "Test it." };
      },
    });
    expect(answer).toBe("Tested.");
    expect(active).toEqual([false, true]);
    expect(toldToModel(world.model.requests[1])).toEqual([
      "user: What is a?",
      "assistant: Done.",
      "user: Test it.",
    ]);
    expect(seen.of("session.idle")).toHaveLength(1);
  });
});

test("clients of two SDK versions are asked in turn, and deny wins", async () => {
  await using world = await enterWorld();
  world.model.use([CALL, { text: "I may not look." }]);
  const [a, b] = [await world.connect(newestSdk), await world.connect(oldestSdk)];
  const { tool, keys } = createLookup();
  const asked: string[] = [];
  const decide = (name: string, permissionDecision: "allow" | "deny"): SessionHooks => ({
    onPreToolUse: () => {
      asked.push(name);
      return { permissionDecision };
    },
  });
  const [seenByA, seenByB] = [new SeenEvents(), new SeenEvents()];
  const session = await a.createSession(
    world.session(seenByA, { tools: [tool], hooks: decide("newest", "allow") }),
  );
  await b.resumeSession(session.sessionId, world.session(seenByB, { hooks: decide("oldest", "deny") }));
  await session.sendAndWait({ prompt: "What is a?" });
  expect(asked).toEqual(["newest", "oldest"]);
  expect(keys).toEqual([]);
});
