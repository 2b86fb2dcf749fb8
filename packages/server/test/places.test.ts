/** A run that waits for an answer of a client holds no place of those that may be running; it takes one before it goes on. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, test } from "vitest";
import { startServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const NEVER = () => new Promise<never>(() => undefined);
const bash = (command: string) => ({ name: "bash", arguments: { command, description: "" } });
const task = (prompt: string) => ({
  name: "task",
  arguments: { agent_type: "task", name: "dig", description: "dig", prompt, mode: "sync" },
});
const TOOL = { name: "lookup", description: "", parameters: { type: "object" }, skipPermission: true };

async function world(home: string, limits: object = { server: { runningTurns: 1 } }) {
  const model = await startScriptedModelServer();
  const file = join(home, "rightseat.json");
  await writeFile(file, JSON.stringify({ limits }));
  const server = await startServer(home, {
    flags: ["--config", file, "--http-port", "0"],
    env: {
      COPILOT_PROVIDER_BASE_URL: `${model.url}/v1`,
      COPILOT_MODEL: "scripted",
      PATH: process.env.PATH ?? "",
    },
  });
  const count = async (state: string) => {
    const page = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
    return Number(new RegExp(`^rightseat_sessions\\{state="${state}"\\} (\\d+)`, "m").exec(page)?.[1]);
  };
  return {
    server,
    model,
    count,
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
      await model.close();
    },
  };
}

/** Answers by what the prompt says, so that runs may come in any order. */
function scriptOf(model: ScriptedModelServer, calls: readonly object[]) {
  model.use(({ body }) => {
    const text = JSON.stringify(body.messages);
    if (!text.includes("please wait")) return { text: "served" };
    return text.includes('"role":"tool"') ? { text: "went on" } : { toolCalls: calls as never };
  });
}

async function joined(client: WireClient, more: object = {}) {
  for (const method of ["userInput.request", "exitPlanMode.request"]) client.answers.set(method, NEVER);
  return {
    requestPermission: true,
    requestUserInput: true,
    requestExitPlanMode: true,
    tools: [TOOL],
    ...more,
  };
}

const QUESTIONS = [
  {
    what: "its tool",
    call: { name: "lookup", arguments: {} },
    event: "external_tool.requested",
    method: "session.tools.handlePendingToolCall",
    answer: { result: "found" },
  },
  {
    what: "a permission",
    call: bash("touch asked"),
    event: "permission.requested",
    method: "session.permissions.handlePendingPermissionRequest",
    answer: { result: { kind: "approve-once" } },
  },
  {
    what: "an answer of its user",
    call: { name: "ask_user", arguments: { question: "Which?", choices: ["red", "blue"] } },
    event: "user_input.requested",
    method: "session.ui.handlePendingUserInput",
    answer: { response: { answer: "red", wasFreeform: false } },
  },
  {
    what: "a review of its plan",
    call: { name: "exit_plan_mode", arguments: { summary: "In short", plan: "# The plan" } },
    event: "exit_plan_mode.requested",
    method: "session.ui.handlePendingExitPlanMode",
    answer: { response: { approved: true } },
  },
] as const;

interface RequestHead {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string[]>;
}

interface Prepared {
  /** Waits, in place of the client's answer. */
  readonly ask: () => Promise<void>;
  readonly model: ScriptedModelServer;
}

/** What a client is asked by requests of the server's, besides questions. */
const WAITS: readonly {
  readonly what: string;
  readonly call?: ReturnType<typeof task>;
  /** The settings of its session. */
  readonly prepare: (client: WireClient, prepared: Prepared) => Promise<object>;
}[] = [
  ...["sessionStart", "userPromptSubmitted", "preToolUse", "postToolUse", "agentStop"].map((hook) => ({
    what: `its hook ${hook}`,
    prepare: async (client: WireClient, { ask }: Prepared) => {
      client.answers.set("hooks.invoke", async ({ hookType }) => {
        if (hookType === hook) await ask();
        return {};
      });
      return { hooks: true };
    },
  })),
  ...["subagentStart", "preToolUse", "subagentStop"].map((hook) => ({
    what: `its hook ${hook} on a sub-agent`,
    call: task("dig deep"),
    prepare: async (client: WireClient, { ask }: Prepared) => {
      client.answers.set("hooks.invoke", async ({ hookType, input }) => {
        const { toolName } = input as { toolName?: string };
        if (hookType === hook && toolName !== "task") await ask();
        return {};
      });
      return { hooks: true };
    },
  })),
  {
    what: "its part in the system message",
    prepare: async (client, { ask }) => {
      client.answers.set("systemMessage.transform", async ({ sections }) => {
        await ask();
        return { sections };
      });
      return { systemMessage: { mode: "customize", sections: { tone: { action: "transform" } } } };
    },
  },
  {
    what: "the token of its provider",
    prepare: async (client, { ask, model }) => {
      client.answers.set("providerToken.getToken", async () => {
        await ask();
        return { token: "given" };
      });
      return {
        model: "scripted",
        provider: { type: "openai", baseUrl: `${model.url}/v1`, hasBearerTokenProvider: true },
      };
    },
  },
  ...(["head", "body"] as const).map((part) => ({
    what: `the ${part} of a model's answer that it carries`,
    prepare: async (client: WireClient, { ask }: Prepared) => {
      await carryModel(client, { before: part, ask });
      return {};
    },
  })),
];

/** A run that calls a tool, or a sub-agent that does. */
function useScript(model: ScriptedModelServer, wait: (typeof WAITS)[number]): void {
  model.use(({ body }) => {
    const text = JSON.stringify(body.messages);
    const isAnswered = text.includes('"role":"tool"');
    if (text.includes("please wait"))
      return isAnswered ? { text: "went on" } : { toolCalls: [wait.call ?? bash("true")] };
    if (!text.includes("dig deep")) return { text: "served" };
    return isAnswered ? { text: "dug" } : { toolCalls: [bash("true")] };
  });
}

/** The client makes the server's model calls, and waits before a part of the answer of the first. */
async function carryModel(
  client: WireClient,
  { before, ask }: { readonly before: "head" | "body"; readonly ask: () => Promise<void> },
): Promise<void> {
  const heads = new Map<string, RequestHead>();
  const bodies = new Map<string, string>();
  let asked = false;
  const askOnce = async () => {
    if (asked) return;
    asked = true;
    await ask();
  };
  const answer = async (requestId: string) => {
    const { url, method, headers } = heads.get(requestId) as RequestHead;
    const flat = Object.entries(headers).map(([name, values]): [string, string] => [name, values.join(", ")]);
    const body = bodies.get(requestId) ?? "";
    const response = await fetch(url, { method, headers: flat, body: body === "" ? null : body });
    const text = await response.text();
    if (before === "head") await askOnce();
    await client.request("llmInference.httpResponseStart", {
      requestId,
      status: response.status,
      headers: { "content-type": [response.headers.get("content-type") ?? ""] },
    });
    // Its head is taken as one when something follows it.
    if (before === "body") await askOnce();
    await client.request("llmInference.httpResponseChunk", { requestId, data: text, end: true });
  };
  client.answers.set("llmInference.httpRequestStart", (params) => {
    heads.set(params.requestId as string, params as unknown as RequestHead);
    return {};
  });
  client.answers.set("llmInference.httpRequestChunk", ({ requestId, data, end, cancel }) => {
    const id = requestId as string;
    bodies.set(id, (bodies.get(id) ?? "") + (data as string));
    if (end && !cancel) void answer(id).catch(() => undefined);
    return {};
  });
  await client.request("llmInference.setProvider", {});
}

describe("a run that waits for a client that does not answer", () => {
  test.each(QUESTIONS)("holds no place while it waits for $what", async ({ call, event, method, answer }) => {
    await using home = await tempHome();
    await using w = await world(home.path);
    scriptOf(w.model, [call]);
    const gone = await w.server.connect();
    const settings = await joined(gone);
    const { sessionId } = await gone.request("session.create", { workingDirectory: home.work, ...settings });
    if (event === "exit_plan_mode.requested")
      await gone.request("session.mode.set", { sessionId, mode: "plan" });
    await gone.request("session.send", { sessionId, prompt: "please wait" });
    const { requestId } = (await gone.event(sessionId, event)).data;
    await gone.close();
    await expect.poll(() => w.count("waiting")).toBe(1);
    expect(await w.count("running")).toBe(0);
    const other = await w.server.connect();
    const { sessionId: theirs } = await other.request("session.create", {});
    expect(await other.ask(theirs, "hello")).toBe("served");

    const back = await w.server.connect();
    await back.request("session.resume", {
      sessionId,
      continuePendingWork: true,
      ...(await joined(back)),
    });
    await back.request(method, { sessionId, requestId, ...answer });
    await back.event(sessionId, "session.idle");
    const said = back.of(sessionId).filter(({ type }) => type === "assistant.message");
    expect(said.at(-1)?.data.content).toBe("went on");
    expect([await w.count("waiting"), await w.count("running")]).toEqual([0, 0]);
    await Promise.all([other.close(), back.close()]);
  });

  test.each(WAITS)("holds no place while it waits for $what, and goes on when it comes", async (wait) => {
    await using home = await tempHome();
    await using w = await world(home.path);
    useScript(w.model, wait);
    const client = await w.server.connect();
    let answer: (() => void) | undefined;
    let isAsked = false;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const ask = async () => {
      isAsked = true;
      await held;
    };
    const settings = await wait.prepare(client, { ask, model: w.model });
    const { sessionId } = await client.request("session.create", {
      workingDirectory: home.work,
      requestPermission: true,
      ...settings,
    });
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    await expect.poll(() => isAsked).toBe(true);
    await expect.poll(() => w.count("waiting")).toBe(1);
    expect(await w.count("running")).toBe(0);
    const other = await w.server.connect();
    const { sessionId: theirs } = await other.request("session.create", {});
    expect(await other.ask(theirs, "hello")).toBe("served");
    answer?.();
    await client.event(sessionId, "session.idle");
    const said = client.of(sessionId).filter(({ type }) => type === "assistant.message");
    expect(said.at(-1)?.data.content).toBe("went on");
    expect([await w.count("waiting"), await w.count("running")]).toEqual([0, 0]);
    await Promise.all([client.close(), other.close()]);
  });

  test.each(WAITS)("and is aborted while it waits for $what ends at once", async (wait) => {
    await using home = await tempHome();
    await using w = await world(home.path);
    useScript(w.model, wait);
    const client = await w.server.connect();
    let isAsked = false;
    const ask = () => {
      isAsked = true;
      return NEVER();
    };
    const settings = await wait.prepare(client, { ask, model: w.model });
    const { sessionId } = await client.request("session.create", {
      workingDirectory: home.work,
      requestPermission: true,
      ...settings,
    });
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    await expect.poll(() => isAsked).toBe(true);
    await client.request("session.abort", { sessionId });
    expect([await w.count("waiting"), await w.count("running")]).toEqual([0, 0]);
    await client.close();
  });

  test("a sub-agent that it waits for does not hold its place either", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    w.model.use(({ body }) => {
      const text = JSON.stringify(body.messages);
      if (text.includes("dig deep"))
        return text.includes('"role":"tool"') ? { text: "dug" } : { toolCalls: [bash("touch asked")] };
      if (!text.includes("please wait")) return { text: "served" };
      return { toolCalls: [task("dig deep")] };
    });
    const client = await w.server.connect();
    const { sessionId } = await client.request("session.create", {
      workingDirectory: home.work,
      requestPermission: true,
    });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    await client.event(sessionId, "permission.requested");
    await expect.poll(() => w.count("waiting")).toBe(1);
    const other = await w.server.connect();
    const { sessionId: theirs } = await other.request("session.create", {});
    expect(await other.ask(theirs, "hello")).toBe("served");
    await client.request("session.abort", { sessionId });
    expect([await w.count("waiting"), await w.count("running")]).toEqual([0, 0]);
    await Promise.all([client.close(), other.close()]);
  });

  test("does not count against its tenant's own runs at once", async () => {
    await using home = await tempHome();
    await using w = await world(home.path, { default: { runningTurns: 1 } });
    scriptOf(w.model, [QUESTIONS[0].call]);
    const client = await w.server.connect();
    const { sessionId } = await client.request("session.create", { ...(await joined(client)) });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    await client.event(sessionId, "external_tool.requested");
    const { sessionId: another } = await client.request("session.create", {});
    await expect
      .poll(() => client.ask(another, "hello").catch(({ data }: { data: { limit: string } }) => data.limit))
      .toBe("served");
    await client.close();
  });
});

describe("a run that was answered", () => {
  test("takes its place in turn: it does not run beside the one that has it", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    let finish: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    w.model.use(async ({ body }) => {
      const text = JSON.stringify(body.messages);
      if (text.includes("hold on")) {
        await held;
        return { text: "held" };
      }
      return text.includes('"role":"tool"') ? { text: "went on" } : { toolCalls: [QUESTIONS[0].call] };
    });
    const [client, other] = [await w.server.connect(), await w.server.connect()];
    const { sessionId } = await client.request("session.create", { ...(await joined(client)) });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    const { requestId } = (await client.event(sessionId, "external_tool.requested")).data;
    const { sessionId: theirs } = await other.request("session.create", {});
    await other.request("session.send", { sessionId: theirs, prompt: "hold on" });
    await w.model.until(({ requests }) => requests.length === 2);
    const { method, answer } = QUESTIONS[0];
    expect(await client.request(method, { sessionId, requestId, ...answer })).toMatchObject({
      success: true,
    });
    await expect.poll(() => w.count("queued")).toBe(1);
    expect(await w.count("running")).toBe(1);
    expect(w.model.requests).toHaveLength(2);
    finish?.();
    await client.event(sessionId, "session.idle");
    await other.event(theirs, "session.idle");
    expect(w.model.requests).toHaveLength(3);
    await Promise.all([client.close(), other.close()]);
  });

  test("and aborted while it waits for its place ends, and gives nothing back that it does not have", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    w.model.use(({ body }) =>
      JSON.stringify(body.messages).includes("hold on") ? { hang: true } : { toolCalls: [QUESTIONS[0].call] },
    );
    const client = await w.server.connect();
    const { sessionId } = await client.request("session.create", { ...(await joined(client)) });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    const { requestId } = (await client.event(sessionId, "external_tool.requested")).data;
    const { sessionId: theirs } = await client.request("session.create", {});
    await client.request("session.send", { sessionId: theirs, prompt: "hold on" });
    await w.model.until(({ requests }) => requests.length === 2);
    const { method, answer } = QUESTIONS[0];
    await client.request(method, { sessionId, requestId, ...answer });
    await client.request("session.abort", { sessionId });
    await client.event(sessionId, "session.idle");
    expect([await w.count("queued"), await w.count("running")]).toEqual([0, 1]);
    await client.request("session.abort", { sessionId: theirs });
    expect(await w.count("running")).toBe(0);
    await client.close();
  });
});

describe("a run that waits for one answer and does something else besides", () => {
  test("keeps its place until that has ended", async () => {
    await using home = await tempHome();
    await using w = await world(home.path);
    const go = join(home.work, "go");
    const work = { ...bash(`until [ -e ${go} ]; do sleep 0.02; done`) };
    scriptOf(w.model, [QUESTIONS[0].call, work]);
    const client = await w.server.connect();
    const { sessionId } = await client.request("session.create", {
      workingDirectory: home.work,
      ...(await joined(client)),
    });
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    await client.request("session.send", { sessionId, prompt: "please wait" });
    await client.event(sessionId, "external_tool.requested");
    expect([await w.count("waiting"), await w.count("running")]).toEqual([0, 1]);
    await writeFile(go, "");
    await expect.poll(() => w.count("waiting")).toBe(1);
    expect(await w.count("running")).toBe(0);
    await client.request("session.abort", { sessionId });
    await client.close();
  });
});
