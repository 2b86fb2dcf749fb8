/** No callback of the application stops the client, whatever it does: each kind of callback, each way to fail. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  CopilotClient,
  type CopilotClientOptions,
  defineTool,
  RuntimeConnection,
  type SessionConfig,
} from "../src/index.ts";
import { witness } from "./support/conversation.ts";
import { startWorld, type World } from "./support/world.ts";

let world: World;
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);
beforeAll(async () => {
  world = await startWorld();
  process.on("unhandledRejection", note);
});
beforeEach(() => {
  // The console is what is left when onWarning fails, too.
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  world.warnings.length = 0;
  expect(unhandled.splice(0)).toEqual([]);
});
afterAll(async () => {
  process.off("unhandledRejection", note);
  await world[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: callbacks that do what no type allows
type Misbehaviour = () => any;

const circular: Record<string, unknown> = {};
circular["self"] = circular;
const throwing = {
  get message() {
    throw new Error("no message");
  },
};

const WAYS: Record<string, Misbehaviour> = {
  throws: () => {
    throw new Error("thrown");
  },
  "throws what is no error": () => {
    throw Object.create(null);
  },
  rejects: async () => {
    throw new Error("rejected");
  },
  "rejects with an error that cannot be read": () =>
    Promise.reject(Object.assign(new Error("x"), { message: 5n })),
  "never settles": () => new Promise(() => undefined),
  "returns a BigInt": () => ({ kind: "approve-once", modifiedArgs: 5n, response: 5n, content: 5n }),
  "returns what is circular": () => ({ kind: "approve-once", modifiedArgs: circular, extra: circular }),
  "returns a symbol": () => Symbol("odd"),
  "returns what throws when it is read": () => throwing,
  "returns undefined": () => undefined,
  "returns an unknown kind": () => ({ kind: "yes please", action: "whatever" }),
};

const LISTENERS: Record<string, (callback: Misbehaviour) => CopilotClientOptions & SessionConfig> = {
  onConnectionState: (onConnectionState) => ({ onConnectionState }),
  onWarning: (onWarning) => ({ onWarning, onEvent: () => Promise.reject(new Error("to warn of")) }),
  onGitHubTelemetry: (onGitHubTelemetry) => ({ onGitHubTelemetry }),
  onGetTraceContext: (onGetTraceContext) => ({ onGetTraceContext }),
  onEvent: (onEvent) => ({ onEvent }),
};

describe.each(Object.entries(WAYS))("a callback that %s", (_way, misbehave) => {
  test.each(Object.entries(LISTENERS))("as %s does not stop the client", async (name, optionsWith) => {
    const { onEvent, ...options } = optionsWith(misbehave);
    const client = world.connect(options);
    client.onLifecycle(misbehave);
    const session = await client.createSession(witness(world.model, onEvent ? { onEvent } : {}).config);
    session.on("assistant.message", misbehave);
    expect((await session.sendAndWait("echo hi"))?.data.content).toBe("hi");
    // A trace that does not come is waited for each time: once is enough to show.
    if (name !== "onGetTraceContext") {
      world.proxy.cutAll();
      expect((await session.sendAndWait("echo again"))?.data.content).toBe("again");
    }
    expect(await client.stop()).toEqual([]);
  });
});

const ANSWERING: Record<string, (callback: Misbehaviour) => SessionConfig> = {
  "a tool": (handler) => ({
    tools: [
      defineTool("lookup", {
        description: "Looks a value up",
        parameters: { type: "object", properties: {} },
        handler,
      }),
    ],
  }),
  "a permission handler": (onPermissionRequest) => ({ onPermissionRequest }),
  "a hook": (onPreToolUse) => ({ hooks: { onPreToolUse } }),
  "a hook of prompts": (onUserPromptSubmitted) => ({ hooks: { onUserPromptSubmitted } }),
  "a transform of the system message": (action) => ({
    systemMessage: { mode: "customize", sections: { tone: { action } } } as never,
  }),
};
const SETTLING = Object.entries(WAYS).filter(([way]) => way !== "never settles");

describe.each(SETTLING)("an answer that %s", (_way, misbehave) => {
  test.each(Object.entries(ANSWERING))("as %s ends the turn all the same", async (_name, configWith) => {
    const session = await world.connect().createSession(witness(world.model, configWith(misbehave)).config);
    expect((await session.sendAndWait("tool lookup 1"))?.data.content).toBe("done");
    expect((await session.sendAndWait("echo next"))?.data.content).toBe("next");
  });
});

describe("an answer that never settles", () => {
  const QUESTIONS: Record<string, (callback: Misbehaviour) => SessionConfig> = {
    ...ANSWERING,
    "an answer of the user": (onUserInputRequest) => ({ onUserInputRequest, availableTools: ["ask_user"] }),
  };
  const prompt = (name: string) => (name === "an answer of the user" ? "ask the user" : "tool lookup 1");
  const askUser = ({ body }: { body: Record<string, unknown> }) => {
    const last = JSON.stringify((body["messages"] as unknown[]).at(-1));
    return last.includes("ask the user")
      ? { toolCalls: [{ name: "ask_user", arguments: { question: "which?" } }] }
      : undefined;
  };
  const never = () => {
    let call: () => void = () => undefined;
    const called = new Promise<void>((resolve) => {
      call = resolve;
    });
    const callback = () => {
      call();
      return new Promise(() => undefined);
    };
    return { called, callback };
  };

  test.each(Object.entries(QUESTIONS))(
    "as %s leaves the session to be aborted, and to be left",
    async (name, configWith) => {
      world.model.use(askUser);
      const client = world.connect();
      const { called, callback } = never();
      const { config } = witness(world.model, configWith(callback));
      const session = await client.createSession(config);
      const waiting = session.sendAndWait(prompt(name));
      await called;
      await session.getEvents();
      await session.abort();
      await waiting;
      expect(await client.stop()).toEqual([]);
    },
  );

  test.each(Object.entries(QUESTIONS))(
    "as %s is waited for until the server's deadline",
    async (name, configWith) => {
      await using impatient = await startWorld(["--question-deadline", "1", "--hook-deadline", "1"]);
      impatient.model.use(askUser);
      const { called, callback } = never();
      const session = await impatient
        .connect()
        .createSession(witness(impatient.model, configWith(callback)).config);
      const answered = session.sendAndWait(prompt(name));
      await called;
      expect((await answered)?.data.content).toMatch(/^(done|ok)$/);
    },
  );
});

test("a provider's token that never settles ends the turn at the server's deadline, or when it is aborted", async () => {
  await using impatient = await startWorld(["--question-deadline", "1"]);
  for (const { open, abort } of [
    { open: impatient, abort: false },
    { open: world, abort: true },
  ]) {
    let call: () => void = () => undefined;
    const called = new Promise<void>((resolve) => {
      call = resolve;
    });
    const bearerTokenProvider = () => {
      call();
      return new Promise<string>(() => undefined);
    };
    const provider = { type: "openai" as const, baseUrl: `${open.model.url}/v1`, bearerTokenProvider };
    const session = await open.connect().createSession(witness(open.model, { provider }).config);
    const waiting = session.sendAndWait("echo hi").catch((error: Error) => error.message);
    await called;
    if (abort) await session.abort();
    expect(await waiting).toEqual(abort ? undefined : expect.stringContaining("no answer within 1 s"));
  }
});

test("what callbacks throw is told to onWarning, and on the console when that throws", async () => {
  const client = world.connect({
    onWarning: () => {
      throw new Error("the log is closed");
    },
    onConnectionState: () => {
      throw new Error("broken");
    },
  });
  await client.start();
  await client.stop();
  expect(vi.mocked(console.error).mock.calls[0]?.[0]).toMatch(
    /^onConnectionState failed [\s\S]*broken[\s\S]*onWarning failed: the log is closed$/,
  );
});

test("a tool result that is larger than the server takes fails the call by name, and is told", async () => {
  const handler = () => "x".repeat(70 * 1024 * 1024);
  const { config, events } = witness(world.model, {
    tools: [
      defineTool("lookup", { description: "d", parameters: { type: "object", properties: {} }, handler }),
    ],
  });
  const session = await world.connect().createSession(config);
  expect((await session.sendAndWait("tool lookup 1"))?.data.content).toBe("done");
  const results = events.flatMap((event) =>
    event.type === "tool.execution_complete" ? [event.data.success] : [],
  );
  expect(results).toEqual([false]);
  expect(world.warnings).toEqual(["a question of the server could not be answered"]);
});

test("a call that is larger than the server takes is refused before it is sent, with the limit", async () => {
  const session = await world.connect().createSession(witness(world.model).config);
  const passed = session.send("x".repeat(65 * 1024 * 1024));
  await expect(passed).rejects.toMatchObject({
    name: "RemoteError",
    data: { reason: "frame_too_large", max: 64 * 1024 * 1024 },
  });
  await expect(
    session.send({ prompt: "x", attachments: [{ type: "blob", data: 5n }] as never }),
  ).rejects.toThrow(/^session.send cannot be sent: .*BigInt/);
  expect((await session.sendAndWait("echo after"))?.data.content).toBe("after");
});

test("a large prompt is carried out once on one connection, however soon silence is taken for a loss", async () => {
  const states: string[] = [];
  const client = world.connect({
    heartbeat: { silenceMs: 50, answerMs: 50, idleMs: 10_000 },
    onConnectionState: (state) => states.push(state),
  });
  const session = await client.createSession(witness(world.model).config);
  await session.send("x".repeat(30_000_000));
  expect(states).toEqual(["connecting", "connected"]);
  await client.forceStop();
});

describe("a connection token", () => {
  const connect = (connectionToken: Misbehaviour) =>
    new CopilotClient({
      connection: RuntimeConnection.forUri(`localhost:${world.proxy.port}`, { connectionToken }),
      connectTimeoutMs: 200,
    });
  test.each(Object.entries(WAYS).slice(0, 5))(
    "whose function %s fails the start",
    async (_way, misbehave) => {
      await expect(connect(misbehave).start()).rejects.toMatchObject({ name: "ConnectionError" });
    },
  );
});
