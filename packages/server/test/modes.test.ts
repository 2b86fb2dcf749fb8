/** Plan mode, autopilot, and going on with another model, over the bare wire. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { spawnServer, startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
});
beforeEach(async () => {
  model.use(undefined);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const settings = () => ({
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
});
const create = async (more: object = {}): Promise<string> =>
  (await client.request("session.create", { sessionId: `modes-${next++}`, ...settings(), ...more }))
    .sessionId;
const setMode = (sessionId: string, mode: string, more: object = {}) =>
  client.request("session.mode.set", { sessionId, mode, ...more });
const getMode = (sessionId: string) => client.request("session.mode.get", { sessionId });
const call = (name: string, args: object) => ({ toolCalls: [{ name, arguments: args }] });
// biome-ignore lint/suspicious/noExplicitAny: requests' bodies, of which single fields are looked at
const bodies = (): any[] => model.requests.map(({ body }) => body);
const offered = (body: { tools?: { function: { name: string } }[] }) =>
  (body.tools ?? []).map((tool) => tool.function.name);
const system = (body: { messages: { content: string }[] }) => body.messages[0]?.content;

describe("the mode", () => {
  test("is told to clients when it changes, and kept", async () => {
    const sessionId = await create();
    expect(await setMode(sessionId, "plan")).toMatchObject({ modeApplied: true, modelChanged: false });
    expect((await client.event(sessionId, "session.mode_changed")).data).toEqual({
      previousMode: "interactive",
      newMode: "plan",
    });
    await setMode(sessionId, "plan");
    expect(client.of(sessionId).filter(({ type }) => type === "session.mode_changed")).toHaveLength(1);
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", { sessionId, ...settings() });
    expect(await getMode(sessionId)).toBe("plan");
  });

  test("stays as it is when it is not the expected one", async () => {
    const sessionId = await create();
    expect(await setMode(sessionId, "autopilot", { expectedMode: "plan" })).toMatchObject({
      modeApplied: false,
    });
    expect(await getMode(sessionId)).toBe("interactive");
    expect(await setMode(sessionId, "autopilot", { expectedMode: "interactive" })).toMatchObject({
      modeApplied: true,
    });
    await expect(setMode(sessionId, "plan", { planModel: "other" })).rejects.toMatchObject({
      data: { reason: "not_supported" },
    });
  });

  test("changes what the model is told and offered, for one message or for good", async () => {
    const sessionId = await create({ requestExitPlanMode: true });
    const before = model.requests.length;
    await client.ask(sessionId, "hi");
    await client.ask(sessionId, "hi", { agentMode: "plan" });
    await client.ask(sessionId, "hi");
    await setMode(sessionId, "plan");
    await client.ask(sessionId, "hi");
    const seen = bodies().slice(before);
    const plans = seen.map((body) => system(body)?.includes("plan mode"));
    expect(plans).toEqual([false, true, false, true]);
    expect(seen.map((body) => offered(body).includes("exit_plan_mode"))).toEqual([false, true, false, true]);
    expect(system(seen[2])).toBe(system(seen[0]));
  });

  test("reaches the model also when the application brings the whole system message", async () => {
    const sessionId = await create({ systemMessage: { mode: "replace", content: "Be brief." } });
    await client.ask(sessionId, "hi");
    expect(system(bodies().at(-1))).toBe("Be brief.");
    await setMode(sessionId, "plan");
    await client.ask(sessionId, "hi");
    expect(system(bodies().at(-1))).toMatch(/^Be brief\.\n\n.*plan mode/s);
  });
});

describe("a plan", () => {
  const SUBMIT = call("exit_plan_mode", { summary: "In short", plan: "# The plan" });
  const planning = async (verdict: object | (() => unknown), more: object = {}) => {
    const asked: unknown[] = [];
    client.answers.set("exitPlanMode.request", (params) => {
      asked.push(params);
      return typeof verdict === "function" ? verdict() : verdict;
    });
    model.use([SUBMIT, { text: "Begun." }]);
    const sessionId = await create({ requestExitPlanMode: true, ...more });
    await setMode(sessionId, "plan");
    const before = model.requests.length;
    const answer = await client.ask(sessionId, "Plan it.");
    const told = bodies()
      .slice(before)
      .at(-1)
      ?.messages.findLast((message: { role: string }) => message.role === "tool")?.content;
    return { sessionId, asked, answer, told };
  };

  test("is put to the client with its text, kept, and ends plan mode when it is approved", async () => {
    const { sessionId, asked, answer } = await planning({ approved: true, selectedAction: "interactive" });
    expect(asked).toEqual([
      {
        sessionId,
        summary: "In short",
        planContent: "# The plan",
        actions: ["autopilot", "interactive", "exit_only"],
        recommendedAction: "interactive",
      },
    ]);
    expect(answer).toBe("Begun.");
    expect(await getMode(sessionId)).toBe("interactive");
    expect((await client.request("session.plan.read", { sessionId })).content).toBe("# The plan");
    const { data: requested } = await client.event(sessionId, "exit_plan_mode.requested");
    const { data: completed } = await client.event(sessionId, "exit_plan_mode.completed");
    expect(requested).toMatchObject({ planContent: "# The plan", requestId: completed.requestId });
    expect(completed).toMatchObject({ approved: true, selectedAction: "interactive" });
    expect(offered(bodies().at(-1))).not.toContain("exit_plan_mode");
  });

  test("that is not approved stays in plan mode, with what the user said", async () => {
    const { sessionId, told } = await planning({ approved: false, feedback: "Smaller steps." });
    expect(told).toContain("Smaller steps.");
    expect(await getMode(sessionId)).toBe("plan");
  });

  test("that is not approved without a word gives the floor to the user", async () => {
    const { sessionId, answer } = await planning({ approved: false });
    expect(answer).toBe("");
    expect(await getMode(sessionId)).toBe("plan");
  });

  test("that was approved and is carried out later by the client ends the run", async () => {
    const { sessionId, answer } = await planning({ approved: true, deferImplementation: true });
    expect(answer).toBe("");
    expect(await getMode(sessionId)).toBe("interactive");
  });

  test("approved for autopilot is carried out until the model says that it is complete", async () => {
    client.answers.set("exitPlanMode.request", () => ({ approved: true, selectedAction: "autopilot" }));
    model.use([SUBMIT, { text: "Working." }, call("task_complete", { summary: "All done." })]);
    const sessionId = await create({ requestExitPlanMode: true });
    await setMode(sessionId, "plan");
    await client.ask(sessionId, "Plan it.");
    expect((await client.event(sessionId, "session.task_complete")).data).toEqual({
      summary: "All done.",
      success: true,
    });
    expect(await getMode(sessionId)).toBe("autopilot");
  });

  test("approved together with its edits lets files be written without a question", async () => {
    client.answers.set("exitPlanMode.request", () => ({
      approved: true,
      selectedAction: "interactive",
      autoApproveEdits: true,
    }));
    model.use([SUBMIT, call("create", { path: "made.txt", file_text: "x" }), { text: "Written." }]);
    const sessionId = await create({ requestExitPlanMode: true, workingDirectory: home.work });
    await setMode(sessionId, "plan");
    expect(await client.ask(sessionId, "Plan it.")).toBe("Written.");
    expect(client.of(sessionId).some(({ type }) => type === "permission.requested")).toBe(false);
    expect(await readFile(join(home.work, "made.txt"), "utf8")).toBe("x");
  });

  test("is not approved when every client's handler throws", async () => {
    const { sessionId, told } = await planning(() => {
      throw new Error("no window");
    });
    expect(told).toContain("could not be put to the user");
    expect(await getMode(sessionId)).toBe("plan");
  });

  test("waits for a client that can approve it, also over a kill", async () => {
    await using other = await tempHome();
    const first = await spawnServer(other.path);
    const before = await first.connect();
    before.answers.set("exitPlanMode.request", () => new Promise<never>(() => undefined));
    model.use([SUBMIT, { text: "Begun." }]);
    const join = { sessionId: "planned", ...settings(), requestExitPlanMode: true };
    await before.request("session.create", join);
    await before.request("session.mode.set", { sessionId: "planned", mode: "plan" });
    await before.request("session.send", { sessionId: "planned", prompt: "Plan it." });
    const { data } = await before.event("planned", "exit_plan_mode.requested");
    await first.kill("SIGKILL");
    await before.ended;
    const second = await spawnServer(other.path);
    const after = await second.connect();
    after.answers.set("exitPlanMode.request", () => ({ approved: true }));
    await after.request("session.resume", { ...join, continuePendingWork: true });
    expect((await after.event("planned", "exit_plan_mode.requested")).data.requestId).toBe(data.requestId);
    await after.event("planned", "session.idle");
    expect(await after.request("session.mode.get", { sessionId: "planned" })).toBe("interactive");
    await after.close();
    await second.kill("SIGTERM");
  });
});

describe("autopilot", () => {
  test("asks the model to go on when it stops, and lets it go after five times in a row", async () => {
    const sessionId = await create();
    await setMode(sessionId, "autopilot");
    const before = model.requests.length;
    await client.ask(sessionId, "echo I am done");
    expect(model.requests.length - before).toBe(6);
    const nudges = client.of(sessionId).filter(({ data }) => data.isAutopilotContinuation);
    expect(nudges).toHaveLength(5);
    expect(nudges[0]?.data).toMatchObject({ content: "", delivery: "steering" });
  });

  test("counts anew when the model works in between", async () => {
    const stops = Array.from({ length: 4 }, () => ({ text: "Hm." }));
    model.use([...stops, call("list_bash", {}), ...stops, call("task_complete", { summary: "Done." })]);
    const sessionId = await create();
    await setMode(sessionId, "autopilot");
    await client.ask(sessionId, "go");
    await client.event(sessionId, "session.task_complete");
    expect(client.of(sessionId).filter(({ data }) => data.isAutopilotContinuation)).toHaveLength(8);
  });

  test("leaves the model alone when it has no way to say that it is done", async () => {
    const sessionId = await create({ excludedTools: ["task_complete"] });
    await setMode(sessionId, "autopilot");
    const before = model.requests.length;
    expect(await client.ask(sessionId, "echo enough")).toBe("enough");
    expect(model.requests.length - before).toBe(1);
  });

  test("ends when the mode is changed", async () => {
    const sessionId = await create();
    await setMode(sessionId, "autopilot");
    model.use(async () => {
      await setMode(sessionId, "interactive");
      return { text: "once" };
    });
    const before = model.requests.length;
    expect(await client.ask(sessionId, "go")).toBe("once");
    expect(model.requests.length - before).toBe(1);
  });
});

test("report_intent is there for applications that name it, and tells their clients", async () => {
  model.use([call("report_intent", { intent: "Reading the tests" }), { text: "ok" }]);
  const sessionId = await create({ availableTools: ["builtin:report_intent"] });
  await client.ask(sessionId, "go");
  expect((await client.event(sessionId, "assistant.intent")).data).toEqual({ intent: "Reading the tests" });
  await client.ask(await create({ availableTools: ["builtin:*"] }), "go");
  expect(offered(bodies().at(-1))).not.toContain("report_intent");
});

describe("a user's limit that is used up", () => {
  const LIMIT = {
    status: 429,
    headers: { "retry-after": "1" },
    body: { error: { message: "You have reached your limit.", code: "user_weekly_rate_limited" } },
  };
  const LISTED = { id: "scripted", name: "Scripted", object: "model", capabilities: { type: "chat" } };

  async function copilotWorld() {
    const other = await tempHome();
    const copilot = await startScriptedModelServer({ models: [LISTED, { ...LISTED, id: "auto" }] });
    copilot.use((request) => (request.body.model === "auto" ? { text: "on auto" } : LIMIT));
    const own = await startServer(other.path, { env: { COPILOT_API_URL: copilot.url, GITHUB_TOKEN: "t" } });
    const person = await own.connect();
    const asked: unknown[] = [];
    return {
      person,
      asked,
      copilot,
      session: async (answer: (() => unknown) | undefined, more: object = {}) => {
        if (answer)
          person.answers.set("autoModeSwitch.request", (params) => {
            asked.push(params);
            return answer();
          });
        const params = { sessionId: `limited-${next++}`, model: "scripted", ...more };
        return (
          await person.request("session.create", { requestAutoModeSwitch: answer !== undefined, ...params })
        ).sessionId as string;
      },
      [Symbol.asyncDispose]: async () => {
        await person.close();
        await own.shutdown();
        await copilot.close();
        await other[Symbol.asyncDispose]();
      },
    };
  }

  test("is answered with another model when the user says yes, at once", async () => {
    await using world = await copilotWorld();
    const sessionId = await world.session(() => ({ response: "yes" }));
    expect(await world.person.ask(sessionId, "hi")).toBe("on auto");
    expect(world.asked).toEqual([{ sessionId, errorCode: "user_weekly_rate_limited", retryAfterSeconds: 1 }]);
    expect(world.copilot.requests.map(({ body }) => body.model)).toEqual(["scripted", "auto"]);
    expect((await world.person.event(sessionId, "session.model_change")).data).toMatchObject({
      previousModel: "scripted",
      newModel: "auto",
      cause: "rate_limit_auto_switch",
    });
    expect((await world.person.event(sessionId, "auto_mode_switch.completed")).data.response).toBe("yes");
  });

  test("ends the run when the user says no, or the handler throws", async () => {
    await using world = await copilotWorld();
    const sessionId = await world.session(() => ({ response: "no" }));
    await world.person.ask(sessionId, "hi");
    expect((await world.person.event(sessionId, "session.error")).data).toMatchObject({
      errorType: "rate_limit",
    });
    const throwing = await world.session(() => {
      throw new Error("no window");
    });
    await world.person.ask(throwing, "hi");
    expect((await world.person.event(throwing, "auto_mode_switch.completed")).data.response).toBe("no");
  });

  test("is not asked about again after 'always', nor when the option says so", async () => {
    await using world = await copilotWorld();
    const sessionId = await world.session(() => ({ response: "yes_always" }));
    await world.person.ask(sessionId, "hi");
    await world.person.request("session.model.switchTo", { sessionId, modelId: "scripted" });
    expect(await world.person.ask(sessionId, "hi")).toBe("on auto");
    expect(world.asked).toHaveLength(1);
    const silent = await world.session(undefined);
    await world.person.request("session.options.update", { sessionId: silent, continueOnAutoMode: true });
    expect(await world.person.ask(silent, "hi")).toBe("on auto");
  });

  test("is answered by whoever registered to answer directly, without a request", async () => {
    await using world = await copilotWorld();
    const sessionId = await world.session(() => ({ response: "no" }));
    const { handle } = await world.person.request("session.ui.registerDirectAutoModeSwitchHandler", {
      sessionId,
    });
    await world.person.request("session.send", { sessionId, prompt: "hi" });
    const { data } = await world.person.event(sessionId, "auto_mode_switch.requested");
    const answer = { sessionId, requestId: data.requestId, response: "yes" };
    expect(await world.person.request("session.ui.handlePendingAutoModeSwitch", answer)).toEqual({
      success: true,
    });
    await world.person.event(sessionId, "session.idle");
    expect(world.asked).toEqual([]);
    const unregister = () =>
      world.person.request("session.ui.unregisterDirectAutoModeSwitchHandler", { sessionId, handle });
    expect([await unregister(), await unregister()]).toEqual([
      { unregistered: true },
      { unregistered: false },
    ]);
  });
});
