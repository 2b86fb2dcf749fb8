/** Sub-agents over the bare wire: what they are told, what clients see of them, how they end. */
import {
  type RecordedModelRequest,
  type ScriptedModelServer,
  startScriptedModelServer,
} from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { spawnServer, startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient, WireEvent } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path, { flags: ["--question-deadline", "3600"] });
});
beforeEach(async () => {
  model.use(undefined);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  expect(server.log.filter((line) => line.level === "error")).toEqual([]);
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const params = (more: object = {}) => ({
  sessionId: `agents-${next++}`,
  model: "scripted",
  streaming: true,
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  workingDirectory: home.work,
  ...more,
});
const create = async (more: object = {}): Promise<string> =>
  (await client.request("session.create", params(more))).sessionId;

interface Message {
  readonly role: string;
  readonly content: string;
}
const messagesOf = (request: RecordedModelRequest) => request.body.messages as Message[];
const systemOf = (request: RecordedModelRequest) => messagesOf(request)[0]?.content ?? "";
const toolsOf = (request: RecordedModelRequest) =>
  ((request.body.tools ?? []) as { function: { name: string } }[]).map((tool) => tool.function.name);
/** Whether a sub-agent asks, rather than the session itself. */
const isSubAgent = (request: RecordedModelRequest) =>
  systemOf(request).includes("You work for another agent");
const lastOf = (request: RecordedModelRequest) => messagesOf(request).at(-1)?.content ?? "";
/** How many results of tools there are since the last prompt. */
const results = (request: RecordedModelRequest) => {
  const messages = messagesOf(request);
  const prompt = messages.findLastIndex(
    ({ role, content }) => role === "user" && !content.startsWith("<system_notification>"),
  );
  return messages.slice(prompt).filter((message) => message.role === "tool").length;
};

type Reply = { text: string } | { toolCalls: { name: string; arguments: unknown }[] };
const call = (name: string, args: object): Reply => ({ toolCalls: [{ name, arguments: args }] });
const task = (more: object = {}): Reply =>
  call("task", {
    agent_type: "general-purpose",
    name: "worker",
    description: "Does it",
    prompt: "SUBTASK",
    ...more,
  });

interface Script {
  /** By how many tool results the session's own conversation holds. */
  readonly main: (results: number, request: RecordedModelRequest) => Reply;
  readonly sub: (results: number, request: RecordedModelRequest) => Reply | Promise<Reply>;
}
const use = ({ main, sub }: Script) =>
  model.use((request) =>
    isSubAgent(request) ? sub(results(request), request) : main(results(request), request),
  );
/** The session hands out one task and then says what came of it. */
const delegating =
  (more: object = {}) =>
  (count: number, request: RecordedModelRequest): Reply =>
    count === 0 ? task(more) : { text: `heard: ${lastOf(request)}` };

const typesOf = (events: readonly WireEvent[]) => events.map((event) => event.type);
const durable = (events: readonly WireEvent[]) => events.filter((event) => !event.ephemeral);
const agentIdOf = (event: WireEvent) => (event as WireEvent & { agentId?: string }).agentId;
const ofAgents = (sessionId: string) =>
  client.of(sessionId).filter((event) => agentIdOf(event) !== undefined);
const own = (sessionId: string) => client.of(sessionId).filter((event) => agentIdOf(event) === undefined);
const dataOf = (sessionId: string, type: string) =>
  client
    .of(sessionId)
    .filter((event) => event.type === type)
    .map((event) => event.data);

const custom = (name: string) => ({
  name,
  description: "d",
  parameters: { type: "object", properties: {} },
  skipPermission: true,
});

describe("a task that is waited for", () => {
  test("is worked on in a context of its own, and its answer is the tool's result", async () => {
    const sessionId = await create({ tools: [custom("lookup")] });
    use({ main: delegating(), sub: (count) => (count === 0 ? call("lookup", {}) : { text: "REPORT" }) });
    const asked = client.ask(sessionId, "delegate this");
    const { data } = await client.event(sessionId, "external_tool.requested");
    const answer = { sessionId, requestId: data.requestId, result: "FOUND-IT" };
    await client.request("session.tools.handlePendingToolCall", answer);
    expect(await asked).toBe("heard: REPORT");

    const [first, second] = model.requests.slice(-4).filter(isSubAgent) as RecordedModelRequest[];
    expect(messagesOf(first as RecordedModelRequest).map(({ role }) => role)).toEqual(["system", "user"]);
    expect(lastOf(first as RecordedModelRequest)).toMatch(/^<current_datetime>.*\n\nSUBTASK$/s);
    expect(lastOf(second as RecordedModelRequest)).toBe("FOUND-IT");
    expect(JSON.stringify(first?.body)).not.toContain("delegate this");
    const parent = model.requests.at(-1) as RecordedModelRequest;
    expect(JSON.stringify(parent.body)).not.toContain("FOUND-IT");

    const events = durable(ofAgents(sessionId));
    expect(typesOf(events)).toEqual([
      "subagent.started",
      "user.message",
      "assistant.turn_start",
      "assistant.message",
      "tool.execution_start",
      "external_tool.requested",
      "tool.execution_complete",
      "assistant.turn_end",
      "assistant.turn_start",
      "assistant.message",
      "assistant.turn_end",
      "subagent.completed",
    ]);
    expect(new Set(events.map(agentIdOf)).size).toBe(1);
    const { toolCallId } = dataOf(sessionId, "tool.execution_start").find(
      ({ toolName }) => toolName === "task",
    );
    expect(events[0]?.data).toMatchObject({
      toolCallId,
      agentName: "general-purpose",
      agentDisplayName: "worker",
      agentDescription: "Does it",
      executionMode: "sync",
    });
    expect(events.at(-1)?.data).toMatchObject({ toolCallId, totalToolCalls: 1, model: "scripted" });
    for (const event of events.filter(({ type }) => /^(?:assistant.message|tool)/.test(type)))
      expect(event.data.parentToolCallId).toBe(toolCallId);
    expect(typesOf(durable(own(sessionId)))).not.toContain("external_tool.requested");
  });

  test("counts for the session, and not for its context", async () => {
    const sessionId = await create();
    const usage = (inputTokens: number) => ({ inputTokens, outputTokens: 10 });
    model.use((request) =>
      isSubAgent(request)
        ? { text: "REPORT", usage: usage(5000) }
        : { ...delegating()(results(request), request), usage: usage(100) },
    );
    await client.ask(sessionId, "go");
    const metrics = await client.request("session.usage.getMetrics", { sessionId });
    expect(metrics).toMatchObject({ lastCallInputTokens: 100 });
    expect(JSON.stringify(metrics)).toContain("5200");
    const told = dataOf(sessionId, "assistant.usage").map(({ initiator }) => initiator);
    expect(told).toEqual(["user", "sub-agent", "user"]);
  });

  test("has the agent's tools: not the session's others, and nobody to talk to", async () => {
    const customAgents = [
      { name: "finder", prompt: "Find.", tools: ["view", "secret"] },
      { name: "anything", prompt: "Do." },
    ];
    const sessionId = await create({
      customAgents,
      tools: [custom("secret"), custom("other")],
      defaultAgent: { excludedTools: ["secret"] },
      requestUserInput: true,
      excludedTools: ["bash"],
    });
    const offered = async (agent_type: string) => {
      use({ main: delegating({ agent_type }), sub: () => ({ text: "REPORT" }) });
      await client.ask(sessionId, `use ${agent_type}`);
      return toolsOf(model.requests.findLast(isSubAgent) as RecordedModelRequest);
    };
    expect(await offered("finder")).toEqual(["view", "secret"]);
    expect(systemOf(model.requests.findLast(isSubAgent) as RecordedModelRequest)).toContain("Find.");
    expect(toolsOf(model.requests.at(-1) as RecordedModelRequest)).not.toContain("secret");
    const all = await offered("anything");
    expect(all).toEqual(expect.arrayContaining(["view", "edit", "secret", "other", "task"]));
    expect(all).not.toContain("ask_user");
    expect(all).not.toContain("bash");
    expect(await offered("explore")).toEqual(["view", "grep", "glob"]);
  });

  test("asks permission as the session does, and a rejection is told to whoever gave the task", async () => {
    const sessionId = await create();
    use({
      main: delegating(),
      sub: (count) => (count === 0 ? call("bash", { command: "true", description: "x" }) : { text: "no" }),
    });
    const asked = client.ask(sessionId, "go");
    const question = await client.event(sessionId, "permission.requested");
    expect(agentIdOf(question)).toBe(agentIdOf(ofAgents(sessionId)[0] as WireEvent));
    await client.request("session.permissions.handlePendingPermissionRequest", {
      sessionId,
      requestId: question.data.requestId,
      result: { kind: "reject" },
    });
    expect(await asked).toBe("heard: The agent failed: The user rejected this tool call.");
    expect(dataOf(sessionId, "subagent.failed")).toHaveLength(1);
  });

  test("that fails is a failed tool call, and no error of the session", async () => {
    const sessionId = await create();
    model.use((request) =>
      isSubAgent(request)
        ? { status: 400, body: { error: { message: "no such thing" } } }
        : delegating()(results(request), request),
    );
    expect(await client.ask(sessionId, "go")).toContain("The agent failed:");
    expect(dataOf(sessionId, "session.error")).toEqual([]);
    expect(dataOf(sessionId, "subagent.failed")[0].error).toContain("no such thing");
    const [done] = dataOf(sessionId, "tool.execution_complete");
    expect(done).toMatchObject({ success: false, error: { code: "agent_failed" } });
  });

  test("for an agent that there is not is a failed tool call that names those that there are", async () => {
    const sessionId = await create({ excludedBuiltinAgents: ["explore", "task", "code-review"] });
    use({ main: delegating({ agent_type: "explore" }), sub: () => ({ text: "never" }) });
    expect(await client.ask(sessionId, "go")).toBe(
      "heard: There is no agent 'explore'. Those that there are: general-purpose.",
    );
  });

  test("ends with the run that it is part of", async () => {
    const sessionId = await create();
    const hanging = { text: "", hang: true };
    model.use((request) => (isSubAgent(request) ? hanging : delegating()(results(request), request)));
    const before = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "go" });
    await client.until(() => ofAgents(sessionId).some((event) => event.type === "assistant.turn_start"));
    await client.request("session.abort", { sessionId });
    await client.event(sessionId, "session.idle", before);
    expect(dataOf(sessionId, "subagent.completed")).toMatchObject([{ cancelled: true }]);
    expect(typesOf(durable(own(sessionId))).slice(-3)).toEqual([
      "tool.execution_complete",
      "abort",
      "assistant.turn_end",
    ]);
    expect(dataOf(sessionId, "abort")).toHaveLength(1);
    await model.until(({ openSockets, closedEarly }) => openSockets >= 0 && closedEarly > 0);
  });

  test("streams to clients that want it, and to no other", async () => {
    const sessionId = await create();
    const other = await server.connect();
    await other.request("session.resume", {
      ...params({ sessionId }),
      includeSubAgentStreamingEvents: false,
    });
    use({ main: delegating(), sub: () => ({ text: "REPORT" }) });
    await client.ask(sessionId, "go");
    await other.until(() => other.of(sessionId).some((event) => event.type === "session.idle"));
    const deltas = (of: WireClient) =>
      of
        .of(sessionId)
        .filter((event) => event.type === "assistant.message_delta" && agentIdOf(event) !== undefined).length;
    expect(deltas(client)).toBeGreaterThan(0);
    expect(deltas(other)).toBe(0);
    expect(other.of(sessionId).some((event) => event.type === "subagent.completed")).toBe(true);
    await other.close();
  });
});

describe("models of sub-agents", () => {
  const chosen = async (sessionId: string, more: object = {}) => {
    use({ main: delegating(more), sub: () => ({ text: "REPORT" }) });
    await client.ask(sessionId, "go");
    const body = (model.requests.findLast(isSubAgent) as RecordedModelRequest).body;
    return [body.model, body.reasoning_effort];
  };

  test("are the call's, then the user's, then the agent's, then the session's", async () => {
    const customAgents = [
      { name: "own", prompt: "p", model: "agents-model", reasoningEffort: "low" },
      { name: "plain", prompt: "p" },
    ];
    const sessionId = await create({ customAgents, reasoningEffort: "high" });
    expect(await chosen(sessionId, { agent_type: "plain" })).toEqual(["scripted", "high"]);
    expect(await chosen(sessionId, { agent_type: "own" })).toEqual(["agents-model", "low"]);
    expect(await chosen(sessionId, { agent_type: "plain", model: "calls-model" })).toEqual([
      "calls-model",
      undefined,
    ]);
    const subagents = { agents: { own: { model: "users-model", effortLevel: "medium" } } };
    await client.request("session.tools.updateSubagentSettings", { sessionId, subagents });
    expect(await chosen(sessionId, { agent_type: "own" })).toEqual(["users-model", "medium"]);
    expect(
      await chosen(sessionId, { agent_type: "own", model: "calls-model", reasoning_effort: "high" }),
    ).toEqual(["calls-model", "high"]);
    await client.request("session.tools.updateSubagentSettings", { sessionId, subagents: null });
    expect(await chosen(sessionId, { agent_type: "own" })).toEqual(["agents-model", "low"]);
  });

  /** A session that has a way to one model and to no other. */
  const bound = (more: object) =>
    create({
      provider: undefined,
      providers: [{ name: "one", type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" }],
      models: [{ provider: "one", id: "m" }],
      model: "one/m",
      ...more,
    });
  const requiring = (modelPolicy: string) => ({
    customAgents: [{ name: "own", prompt: "p", model: "gone", modelPolicy }],
  });

  test("that are preferred may be another's; one that is required and cannot be had fails the task", async () => {
    const preferred = await bound(requiring("preferred"));
    expect(await chosen(preferred, { agent_type: "own" })).toEqual(["m", undefined]);
    const required = await bound(requiring("required"));
    const before = model.requests.filter(isSubAgent).length;
    use({ main: delegating({ agent_type: "own" }), sub: () => ({ text: "REPORT" }) });
    expect(await client.ask(required, "go")).toContain("requires the model 'gone'");
    expect(model.requests.filter(isSubAgent).length).toBe(before);
    const subagents = { agents: { own: { model: "one/m", modelPolicy: "required" } } };
    await client.request("session.tools.updateSubagentSettings", { sessionId: required, subagents });
    expect(await chosen(required, { agent_type: "own" })).toEqual(["m", undefined]);
  });

  test("that are required win over the call's", async () => {
    const customAgents = [{ name: "own", prompt: "p", model: "agents-model", modelPolicy: "required" }];
    const sessionId = await create({ customAgents });
    expect((await chosen(sessionId, { agent_type: "own", model: "calls-model" }))[0]).toBe("agents-model");
  });

  test("that are required keep a session of another model from answering as the agent", async () => {
    const customAgents = [{ name: "own", prompt: "p", model: "agents-model", modelPolicy: "required" }];
    const refusal = {
      message: expect.stringContaining("requires the model 'agents-model'"),
      data: { reason: "not_supported", agent: "own", model: "agents-model" },
    };
    await expect(create({ customAgents, agent: "own" })).rejects.toMatchObject(refusal);
    const sessionId = await create({ customAgents });
    const select = () => client.request("session.agent.select", { sessionId, name: "own" });
    await expect(select()).rejects.toMatchObject(refusal);
    await client.request("session.model.switchTo", { sessionId, modelId: "agents-model" });
    await select();
    model.use([{ text: "as the agent" }]);
    expect(await client.ask(sessionId, "hi")).toBe("as the agent");
    await client.request("session.model.switchTo", { sessionId, modelId: "scripted" });
    await client.request("session.send", { sessionId, prompt: "again" });
    const { data } = await client.event(sessionId, "session.error");
    expect(data.message).toContain("requires the model 'agents-model'");
  });
});

describe("limits", () => {
  test("keep agents from handing tasks on for ever", async () => {
    const sessionId = await create();
    const depths: boolean[] = [];
    use({
      main: delegating(),
      sub: (count, request) => {
        const mayDelegate = toolsOf(request).includes("task");
        if (count === 0) depths.push(mayDelegate);
        return mayDelegate && count === 0 ? task({ name: "deeper" }) : { text: "deep" };
      },
    });
    expect(await client.ask(sessionId, "go")).toBe("heard: deep");
    expect(depths).toEqual([true, false]);
    const [outer, inner] = ofAgents(sessionId).filter((event) => event.type === "subagent.started");
    expect(inner?.data.parentId).toBe(agentIdOf(outer as WireEvent));
    await client.request("session.tools.updateSubagentSettings", { sessionId, subagents: { maxDepth: 1 } });
    depths.length = 0;
    await client.ask(sessionId, "again");
    expect(depths).toEqual([false]);
  });

  test("let only so many work at a time; the others wait", async () => {
    const sessionId = await create();
    const subagents = { maxConcurrency: 2, disabledSubagents: ["explore"] };
    await client.request("session.tools.updateSubagentSettings", { sessionId, subagents });
    let working = 0;
    let most = 0;
    model.use(async (request) => {
      if (!isSubAgent(request)) {
        const calls = ["a", "b", "c", "d", "e"].map(
          (name) => (task({ name }) as { toolCalls: object[] }).toolCalls[0],
        );
        return results(request) === 0 ? ({ toolCalls: calls } as Reply) : { text: "all" };
      }
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
      return { text: "REPORT" };
    });
    expect(await client.ask(sessionId, "go")).toBe("all");
    expect(dataOf(sessionId, "subagent.completed")).toHaveLength(5);
    expect(most).toBeLessThanOrEqual(2);
    expect(JSON.stringify(model.requests.at(-1)?.body.tools)).not.toContain("- explore:");
  });
});

describe("a task in the background", () => {
  /** Lets a sub-agent answer when the test says so. */
  function gate() {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { open: () => open(), opened };
  }
  const started = /^Agent started in background with agent_id: (\S+)\. /;

  test("the tools that ask agents and tell them more are offered from the first agent on", async () => {
    const sessionId = await create();
    const offered: string[][] = [];
    use({
      main: (count, request) => {
        const { tools } = request.body as unknown as { tools: { function: { name: string } }[] };
        offered.push(tools.map((tool) => tool.function.name));
        return count === 0 ? task() : { text: "done" };
      },
      sub: () => ({ text: "REPORT" }),
    });
    await client.ask(sessionId, "go");
    const added = ["read_agent", "list_agents", "write_agent"];
    expect(offered[0]?.at(-1)).toBe("task");
    expect(offered[1]).toEqual([...(offered[0] ?? []), ...added]);
  });

  test("goes on when the run has ended; its end is told to the model, and then the session is idle", async () => {
    const sessionId = await create();
    const { open, opened } = gate();
    use({
      main: (count, request) => {
        const last = lastOf(request);
        const notice = /agent_id "([^"]+)"/.exec(last);
        if (notice) return call("read_agent", { agent_id: notice[1] });
        if (count === 0) return task({ mode: "background" });
        return { text: started.test(last) ? "waiting" : `heard: ${last}` };
      },
      sub: async () => {
        await opened;
        return { text: "REPORT" };
      },
    });
    const before = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "go" });
    await client.until(() => own(sessionId).some((event) => event.type === "assistant.idle"));
    expect(typesOf(own(sessionId))).not.toContain("session.idle");
    const [result] = dataOf(sessionId, "tool.execution_complete");
    expect(result.result.content).toMatch(started);
    const { tasks } = await client.request("session.tasks.list", { sessionId });
    expect(tasks).toMatchObject([{ type: "agent", status: "running", executionMode: "background" }]);
    expect(await client.request("session.metadata.isProcessing", { sessionId })).toEqual({
      processing: true,
    });
    open();
    await client.event(sessionId, "session.idle", before);
    const last = own(sessionId).findLast((event) => event.type === "assistant.message");
    expect(last?.data.content).toMatch(
      /^heard: Agent completed\. agent_id: worker-[0-9a-f]{8}, agent_type: general-purpose, status: completed, description: Does it, elapsed: \d+s, total_turns: 1\n\nREPORT$/,
    );
    const [notice] = dataOf(sessionId, "system.notification");
    expect(notice).toEqual({
      content: `<system_notification>\nAgent "worker" (general-purpose) has completed successfully. Use read_agent with agent_id "${tasks[0].id}" to retrieve the full results.\n</system_notification>`,
      kind: {
        type: "agent_completed",
        agentId: tasks[0].id,
        displayName: "worker",
        agentType: "general-purpose",
        status: "completed",
        description: "Does it",
      },
    });
    // Clients see neither the notice nor a prompt waiting.
    expect(await client.request("session.queue.pendingItems", { sessionId })).toMatchObject({ items: [] });
  });

  test("that ends while the model works is told between two of its calls", async () => {
    const sessionId = await create({ tools: [custom("slow")] });
    use({
      main: (count, request) => {
        if (count === 0) return task({ mode: "background" });
        if (count === 1) return call("slow", {});
        return { text: `heard: ${lastOf(request)}` };
      },
      sub: () => ({ text: "REPORT" }),
    });
    const asked = client.ask(sessionId, "go");
    const { data } = await client.event(sessionId, "external_tool.requested");
    await client.event(sessionId, "subagent.completed");
    const answer = { sessionId, requestId: data.requestId, result: "done" };
    await client.request("session.tools.handlePendingToolCall", answer);
    expect(await asked).toContain("heard: <system_notification>");
    expect(dataOf(sessionId, "user.message").filter(({ source }) => source === undefined)).toHaveLength(1);
  });

  test("is told more while it works, and works on when it was done", async () => {
    const sessionId = await create();
    const { open, opened } = gate();
    use({
      main: () => ({ text: "noted" }),
      sub: async (_count, request) => {
        const users = messagesOf(request).filter(({ role }) => role === "user").length;
        if (users === 1) await opened;
        return { text: `turn ${users}` };
      },
    });
    const start = { agentType: "general-purpose", name: "Side Job!", prompt: "Begin", description: "Aside" };
    const { agentId } = await client.request("session.tasks.startAgent", { sessionId, ...start });
    expect(agentId).toMatch(/^side-job-[0-9a-f]{8}$/);
    await client.until(() => ofAgents(sessionId).some((event) => event.type === "assistant.turn_start"));
    const tell = (message: string) =>
      client.request("session.tasks.sendMessage", { sessionId, id: agentId, message });
    expect(await tell("Steer")).toEqual({ sent: true });
    const before = client.of(sessionId).length;
    open();
    await client.event(sessionId, "session.idle", before);
    const info = async () => (await client.request("session.tasks.list", { sessionId })).tasks[0];
    expect(await info()).toMatchObject({ status: "idle", latestResponse: "turn 2", prompt: "Begin" });
    const again = client.of(sessionId).length;
    expect(await tell("More")).toEqual({ sent: true });
    await client.event(sessionId, "session.idle", again);
    expect(await info()).toMatchObject({ status: "idle", latestResponse: "turn 3", prompt: "More" });
    const { progress } = await client.request("session.tasks.getProgress", { sessionId, id: agentId });
    expect(progress).toEqual({ type: "agent", recentActivity: [] });
    expect(await client.request("session.tasks.cancel", { sessionId, id: agentId })).toEqual({
      cancelled: true,
    });
    expect(await info()).toMatchObject({ status: "cancelled" });
    expect(await tell("Anybody?")).toMatchObject({
      sent: false,
      error: expect.stringContaining("cancelled"),
    });
    expect(await client.request("session.tasks.remove", { sessionId, id: agentId })).toEqual({
      removed: true,
    });
    expect(await info()).toBeUndefined();
  });

  test("is what becomes of one that need not be waited for any longer", async () => {
    const sessionId = await create();
    const { open, opened } = gate();
    use({
      main: (count, request) =>
        count === 0 ? task() : { text: lastOf(request).startsWith("<system") ? "noted" : "went on" },
      sub: async () => {
        await opened;
        return { text: "REPORT" };
      },
    });
    await client.request("session.send", { sessionId, prompt: "go" });
    await client.until(() => ofAgents(sessionId).some((event) => event.type === "assistant.turn_start"));
    const promote = () => client.request("session.tasks.promoteCurrentToBackground", { sessionId });
    const current = await client.request("session.tasks.getCurrentPromotable", { sessionId });
    expect(current.task).toMatchObject({ status: "running", canPromoteToBackground: true });
    expect((await promote()).task).toMatchObject({ id: current.task.id, executionMode: "background" });
    expect(await promote()).toEqual({});
    await client.until(() => own(sessionId).some((event) => event.data.content === "went on"));
    expect(dataOf(sessionId, "tool.execution_complete")[0].result.content).toMatch(started);
    open();
    await client.until(() => own(sessionId).some((event) => event.data.content === "noted"));
  });

  test("is cancelled by a client, or with everything by an abort; the session is idle then", async () => {
    const sessionId = await create();
    use({ main: () => ({ text: "never" }), sub: () => ({ text: "", hang: true }) as never });
    const start = async () => {
      const { agentId } = await client.request("session.tasks.startAgent", {
        sessionId,
        agentType: "explore",
        name: "x",
        prompt: "p",
      });
      await client.until(() =>
        ofAgents(sessionId).some(
          (event) => event.type === "assistant.turn_start" && agentIdOf(event) === agentId,
        ),
      );
      return agentId as string;
    };
    for (const end of ["session.tasks.cancel", "session.abort"]) {
      const id = await start();
      const before = client.of(sessionId).length;
      await client.request(end, { sessionId, id });
      expect((await client.event(sessionId, "session.idle", before)).data).toMatchObject({ aborted: true });
    }
    await start();
    await start();
    const cancelAll = () => client.request("session.cancelAllBackgroundAgents", { sessionId });
    const before = client.of(sessionId).length;
    expect(await cancelAll()).toBe(2);
    await client.event(sessionId, "session.idle", before);
    expect(await cancelAll()).toBe(0);
    expect(dataOf(sessionId, "subagent.completed").map(({ cancelled }) => cancelled)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(dataOf(sessionId, "system.notification")).toEqual([]);
  });

  test("works on when the turn is interrupted", async () => {
    const sessionId = await create({ tools: [custom("slow")] });
    const { open, opened } = gate();
    use({
      main: (count, request) => {
        if (lastOf(request).startsWith("<system")) return { text: "noted" };
        return count === 0 ? task({ mode: "background" }) : call("slow", {});
      },
      sub: async () => {
        await opened;
        return { text: "REPORT" };
      },
    });
    await client.request("session.send", { sessionId, prompt: "go" });
    await client.event(sessionId, "external_tool.requested");
    await client.request("session.interruptMainTurn", { sessionId });
    const { tasks } = await client.request("session.tasks.list", { sessionId });
    expect(tasks).toMatchObject([{ status: "running" }]);
    open();
    await client.until(() => own(sessionId).some((event) => event.data.content === "noted"));
    expect(dataOf(sessionId, "subagent.completed")).toHaveLength(1);
  });

  test("cannot be begun with an agent or a model that there is not", async () => {
    const sessionId = await create({
      provider: undefined,
      model: "acme/m",
      providers: [{ type: "openai", baseUrl: `${model.url}/v1`, name: "acme" }],
      models: [{ provider: "acme", id: "m" }],
    });
    const start = (more: object) =>
      client.request("session.tasks.startAgent", {
        sessionId,
        agentType: "explore",
        name: "x",
        prompt: "p",
        ...more,
      });
    await expect(start({ agentType: "nobody" })).rejects.toMatchObject({
      data: { reason: "invalid_params", path: "agentType" },
    });
    await expect(start({ model: "acme/other" })).rejects.toMatchObject({
      data: { reason: "model_not_found" },
    });
    expect(await client.request("session.tasks.list", { sessionId })).toEqual({ tasks: [] });
  });
});

describe("a fleet", () => {
  test("is a prompt with instructions for several agents", async () => {
    const sessionId = await create();
    model.use([{ text: "in parts" }]);
    const before = client.of(sessionId).length;
    const start = { sessionId, prompt: "Mend everything" };
    expect(await client.request("session.fleet.start", start)).toEqual({ started: true });
    await client.event(sessionId, "session.idle", before);
    const [message] = dataOf(sessionId, "user.message");
    expect(message.content).toBe("Mend everything");
    expect(lastOf(model.requests.at(-1) as RecordedModelRequest)).toMatch(
      /several agents at a time[\s\S]*The task: Mend everything$/,
    );
  });
});

test("a crash ends sub-agents: the tool call is interrupted, the agent failed, the session goes on", async () => {
  const crashing = await tempHome();
  const first = await spawnServer(crashing.path);
  let wire = await first.connect();
  const session = params();
  await wire.request("session.create", session);
  const { sessionId } = session;
  model.use((request) =>
    isSubAgent(request)
      ? { text: "", hang: true }
      : lastOf(request).includes("after")
        ? { text: "still here" }
        : delegating()(results(request), request),
  );
  await wire.request("session.send", { sessionId, prompt: "go" });
  await wire.until(() =>
    wire
      .of(sessionId)
      .some((event) => event.type === "assistant.turn_start" && agentIdOf(event) !== undefined),
  );
  await first.kill("SIGKILL");
  await wire.close();
  const second = await spawnServer(crashing.path);
  wire = await second.connect();
  await wire.request("session.resume", session);
  expect(await wire.ask(sessionId, "after the crash")).toBe("still here");
  const { events } = (await wire.request("session.getMessages", { sessionId })) as { events: WireEvent[] };
  const failed = events.filter((event) => event.type === "subagent.failed");
  expect(failed.map(({ data }) => data.error)).toEqual(["the server ended while it worked"]);
  const completed = events.find((event) => event.type === "tool.execution_complete");
  expect(completed?.data).toMatchObject({ success: false, error: { code: "interrupted" } });
  await wire.close();
  await second.kill("SIGTERM");
  await crashing[Symbol.asyncDispose]();
});

const connected = async (to: TestServer) => {
  const wire = await to.connect();
  return Object.assign(wire, { [Symbol.asyncDispose]: () => wire.close() });
};

describe("an agent that has answered and is told more", () => {
  /** Answers its first task in words; told more, it runs a command. */
  const worksLater = (request: RecordedModelRequest, count: number): Reply =>
    messagesOf(request).some(({ content }) => content.includes("MORE"))
      ? count === 0
        ? call("bash", { command: "echo ran > ran.txt", description: "d" })
        : { text: `it was: ${lastOf(request)}` }
      : { text: "idle now" };
  const idleAgent = async (sessionId: string) => {
    use({ main: delegating(), sub: (count, request) => worksLater(request, count) });
    await client.request("session.send", { sessionId, prompt: "go" });
    await client.event(sessionId, "session.idle");
    const { tasks } = await client.request("session.tasks.list", { sessionId });
    return tasks[0].id as string;
  };

  test("asks for what is asked for now, not for what was allowed before a rewind", async () => {
    const sessionId = await create();
    await client.request("session.permissions.setMode", { sessionId, mode: "allow-all" });
    const id = await idleAgent(sessionId);
    const { events } = await client.request("session.getMessages", { sessionId });
    const prompt = events.find((event: WireEvent) => event.type === "user.message");
    await client.request("session.history.truncate", { sessionId, eventId: prompt.id });
    await client.request("session.permissions.setMode", { sessionId, mode: "manual" });
    expect(await client.request("session.tasks.sendMessage", { sessionId, id, message: "MORE" })).toEqual({
      sent: true,
    });
    const asked = await client.event(sessionId, "permission.requested");
    expect(asked.data.permissionRequest).toMatchObject({ kind: "shell" });
    await client.request("session.permissions.handlePendingPermissionRequest", {
      sessionId,
      requestId: asked.data.requestId,
      result: { kind: "approve-once" },
    });
    await client.until(() => dataOf(sessionId, "subagent.completed").length === 2);
  });

  test("knows what it was told before the session slept, and asks as the session does then", async () => {
    await using sleepy = await startServer(home.path, { flags: ["--hibernate-after", "1"] });
    await client.close();
    client = await sleepy.connect();
    const sessionId = await create();
    const id = await idleAgent(sessionId);
    const slept = () => sleepy.log.some(({ message }) => message === "a session fell asleep");
    const before = await listOf(client, sessionId);
    await vi.waitUntil(slept, { timeout: 10_000 });
    expect(await listOf(client, sessionId)).toEqual(before);
    expect(await client.request("session.tasks.sendMessage", { sessionId, id, message: "MORE" })).toEqual({
      sent: true,
    });
    const asked = await client.event(sessionId, "permission.requested");
    await client.request("session.permissions.handlePendingPermissionRequest", {
      sessionId,
      requestId: asked.data.requestId,
      result: { kind: "approve-once" },
    });
    await client.until(() => dataOf(sessionId, "subagent.completed").length === 2);
    const told = model.requests.filter(isSubAgent).at(-1) as RecordedModelRequest;
    expect(messagesOf(told).map(({ content }) => content)).toContain("idle now");
    await client.close();
  });

  /** Answers in words, also when it is told more. */
  const answersTwice = (request: RecordedModelRequest): Reply => ({
    text: messagesOf(request).some(({ content }) => content.includes("MORE")) ? "second" : "idle now",
  });
  const inWords = () => use({ main: delegating(), sub: (_count, request) => answersTwice(request) });
  const listOf = async (wire: WireClient, sessionId: string) =>
    (await wire.request("session.tasks.list", { sessionId })).tasks;
  /** Tells the agent more, and gives what it was asked with. */
  const tellMore = async (wire: WireClient, sessionId: string, id: string) => {
    const told = await wire.request("session.tasks.sendMessage", { sessionId, id, message: "MORE" });
    expect(told).toEqual({ sent: true });
    await wire.until(() => wire.of(sessionId).some(({ type }) => type === "subagent.completed"));
    const asked = model.requests.filter(isSubAgent).at(-1) as RecordedModelRequest;
    return messagesOf(asked)
      .slice(1)
      .map(({ content }) => content.replace(/<current_datetime>.*<.current_datetime>\s*/s, ""));
  };

  test("is listed as before, and knows what it knew, when the session was closed and resumed", async () => {
    const session = params();
    const { sessionId } = session;
    await client.request("session.create", session);
    inWords();
    await client.ask(sessionId, "go");
    const before = await listOf(client, sessionId);
    expect(before).toMatchObject([{ status: "idle", prompt: "SUBTASK", latestResponse: "idle now" }]);
    await client.request("session.shutdown", { sessionId });
    await using wire = await connected(server);
    await wire.request("session.resume", session);
    expect(await listOf(wire, sessionId)).toEqual(before);
    const id = before[0].id as string;
    expect(await tellMore(wire, sessionId, id)).toEqual([
      expect.stringContaining("SUBTASK"),
      "idle now",
      expect.stringContaining("MORE"),
    ]);
    await wire.event(sessionId, "session.idle");
    expect(await listOf(wire, sessionId)).toMatchObject([
      { id, status: "idle", prompt: "MORE", latestResponse: "second" },
    ]);
    expect(await wire.request("session.tasks.cancel", { sessionId, id })).toEqual({ cancelled: true });
    await wire.request("session.shutdown", { sessionId });
    await wire.request("session.resume", session);
    expect(await listOf(wire, sessionId)).toEqual([]);
  });

  test("is listed as before, and knows what it knew, when the server was killed", async () => {
    const killed = await tempHome();
    const first = await spawnServer(killed.path);
    let wire = await first.connect();
    const session = params();
    const { sessionId } = session;
    await wire.request("session.create", session);
    inWords();
    await wire.ask(sessionId, "go");
    const before = await listOf(wire, sessionId);
    await first.kill("SIGKILL");
    await wire.close();
    const second = await spawnServer(killed.path);
    wire = await second.connect();
    await wire.request("session.resume", session);
    expect(await listOf(wire, sessionId)).toEqual(before);
    expect(await tellMore(wire, sessionId, before[0].id)).toEqual([
      expect.stringContaining("SUBTASK"),
      "idle now",
      expect.stringContaining("MORE"),
    ]);
    await wire.close();
    await second.kill("SIGTERM");
    await killed[Symbol.asyncDispose]();
  });

  test("is told nothing more where its definition has gone, and is told more where it is back", async () => {
    const session = params();
    const { sessionId } = session;
    const customAgents = [{ name: "scout", displayName: "Scout", description: "looks", prompt: "Look." }];
    await client.request("session.create", { ...session, customAgents });
    use({ main: delegating({ agent_type: "scout" }), sub: (_count, request) => answersTwice(request) });
    await client.ask(sessionId, "go");
    const before = await listOf(client, sessionId);
    await client.request("session.shutdown", { sessionId });
    await using wire = await connected(server);
    await wire.request("session.resume", session);
    expect(await listOf(wire, sessionId)).toEqual(before);
    const { id } = before[0];
    expect(await wire.request("session.tasks.sendMessage", { sessionId, id, message: "MORE" })).toEqual({
      sent: false,
      error: `the agent '${id}' answers as 'scout', and the session has no such agent now`,
    });
    await wire.request("session.resume", { ...session, customAgents });
    expect((await tellMore(wire, sessionId, id)).at(1)).toBe("idle now");
  });

  test("is in a fork as well, on its own from then on", async () => {
    const sessionId = await create();
    inWords();
    await client.ask(sessionId, "go");
    const before = await listOf(client, sessionId);
    const fork = (await client.request("sessions.fork", { sessionId })).sessionId as string;
    await client.request("session.resume", { ...params(), sessionId: fork });
    expect(await listOf(client, fork)).toEqual(before);
    expect((await tellMore(client, fork, before[0].id)).at(1)).toBe("idle now");
    await client.event(fork, "session.idle");
    expect(await listOf(client, fork)).toMatchObject([{ latestResponse: "second" }]);
    expect(await listOf(client, sessionId)).toEqual(before);
  });
});
