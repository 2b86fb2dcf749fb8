/** Questions of the model to the user, over the bare wire: who is asked, and what when they go, hang or refuse. */
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
  model.use([{ toolCalls: [{ name: "ask_user", arguments: QUESTION }] }, { text: "Thanks." }]);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const QUESTION = { question: "Which colour?", choices: ["red", "blue"] };
const WAITING = () => new Promise<never>(() => undefined);
const REQUEST = "userInput.request";

const settings = () => ({
  model: "scripted",
  provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
});
const create = async (more: object = {}, by = client): Promise<string> =>
  (await by.request("session.create", { sessionId: `asking-${next++}`, ...settings(), ...more })).sessionId;
const send = (sessionId: string) => client.request("session.send", { sessionId, prompt: "Ask me." });
// biome-ignore lint/suspicious/noExplicitAny: a request's body, of which single fields are looked at
const lastBody = (): any => model.requests.at(-1)?.body;
const toolNames = (): string[] =>
  (lastBody().tools ?? []).map((tool: { function: { name: string } }) => tool.function.name);
const toldModel = () => lastBody().messages.at(-1).content;

describe("ask_user", () => {
  test("is offered only while a client is attached that can answer, or watches for it", async () => {
    model.use(undefined);
    const sessionId = await create();
    await client.ask(sessionId, "hi");
    expect(toolNames()).not.toContain("ask_user");
    const person = await server.connect();
    await person.request("session.resume", { sessionId, requestUserInput: true });
    await client.ask(sessionId, "hi");
    expect(toolNames()).toContain("ask_user");
    await person.request("session.detach", { sessionId });
    await client.ask(sessionId, "hi");
    expect(toolNames()).not.toContain("ask_user");
    await client.request("session.eventLog.registerInterest", {
      sessionId,
      eventType: "user_input.requested",
    });
    await client.ask(sessionId, "hi");
    expect(toolNames()).toContain("ask_user");
    await person.close();
  });

  test("brings the question to the client and the answer to the model", async () => {
    const asked: unknown[] = [];
    client.answers.set(REQUEST, (params) => {
      asked.push(params);
      return { answer: "blue", wasFreeform: false };
    });
    const sessionId = await create({ requestUserInput: true });
    expect(await client.ask(sessionId, "Ask me.")).toBe("Thanks.");
    expect(asked).toEqual([{ sessionId, ...QUESTION, allowFreeform: true }]);
    expect(toldModel()).toBe("User selected: blue");
    const { data: requested } = await client.event(sessionId, "user_input.requested");
    const { data: completed } = await client.event(sessionId, "user_input.completed");
    expect(requested).toMatchObject({ ...QUESTION, allowFreeform: true, requestId: completed.requestId });
    expect(completed).toMatchObject({ answer: "blue", wasFreeform: false });
  });

  test("moves to the next client that can answer when the first one vanishes", async () => {
    const [first, second] = [await server.connect(), await server.connect()];
    first.answers.set(REQUEST, WAITING);
    second.answers.set(REQUEST, () => ({ answer: "green", wasFreeform: true }));
    const sessionId = await create();
    await first.request("session.resume", { sessionId, requestUserInput: true });
    await second.request("session.resume", { sessionId, requestUserInput: true });
    await send(sessionId);
    await first.event(sessionId, "user_input.requested");
    await first.close();
    await client.event(sessionId, "session.idle");
    expect(toldModel()).toBe("User responded: green");
    await second.close();
  });

  test("moves on when its client leaves the session and keeps its connection", async () => {
    const [first, second] = [await server.connect(), await server.connect()];
    first.answers.set(REQUEST, WAITING);
    second.answers.set(REQUEST, () => ({ answer: "red" }));
    const sessionId = await create();
    await first.request("session.resume", { sessionId, requestUserInput: true });
    await second.request("session.resume", { sessionId, requestUserInput: true });
    await send(sessionId);
    await first.event(sessionId, "user_input.requested");
    await first.request("session.detach", { sessionId });
    await client.event(sessionId, "session.idle");
    expect(toldModel()).toBe("User selected: red");
    await Promise.all([first.close(), second.close()]);
  });

  test("waits for a client to come back when the only one that could answer vanishes", async () => {
    const person = await server.connect();
    person.answers.set(REQUEST, WAITING);
    const sessionId = await create();
    await person.request("session.resume", { sessionId, requestUserInput: true });
    await send(sessionId);
    const { data } = await person.event(sessionId, "user_input.requested");
    await person.close();
    const back = await server.connect();
    back.answers.set(REQUEST, () => ({ answer: "red", wasFreeform: false }));
    await back.request("session.resume", { sessionId, requestUserInput: true });
    expect((await back.event(sessionId, "user_input.requested")).data).toEqual(data);
    await client.event(sessionId, "session.idle");
    expect(toldModel()).toBe("User selected: red");
    await back.close();
  });

  test("takes the first answer, by request or by call, and withdraws the question from the other", async () => {
    client.answers.set(REQUEST, WAITING);
    const sessionId = await create({ requestUserInput: true });
    const other = await server.connect();
    await other.request("session.resume", { sessionId });
    await send(sessionId);
    const { data } = await other.event(sessionId, "user_input.requested");
    const answer = {
      sessionId,
      requestId: data.requestId,
      response: { answer: "mauve", wasFreeform: true },
    };
    const answers = [
      await other.request("session.ui.handlePendingUserInput", answer),
      await client.request("session.ui.handlePendingUserInput", answer),
    ];
    expect(answers).toEqual([{ success: true }, { success: false }]);
    await client.event(sessionId, "session.idle");
    expect(toldModel()).toBe("User responded: mauve");
    await other.close();
  });

  test("goes on with the next client when a handler throws, and fails when all of them do", async () => {
    const refuse = () => {
      throw new Error("the window is closed");
    };
    const second = await server.connect();
    client.answers.set(REQUEST, refuse);
    second.answers.set(REQUEST, () => ({ answer: "red", wasFreeform: false }));
    const sessionId = await create({ requestUserInput: true });
    await second.request("session.resume", { sessionId, requestUserInput: true });
    expect(await client.ask(sessionId, "Ask me.")).toBe("Thanks.");
    expect(toldModel()).toBe("User selected: red");

    model.use([{ toolCalls: [{ name: "ask_user", arguments: QUESTION }] }, { text: "Then I choose." }]);
    second.answers.set(REQUEST, refuse);
    const before = client.of(sessionId).length;
    expect(await client.ask(sessionId, "Ask me.")).toBe("Then I choose.");
    expect(toldModel()).toBe("The question could not be put to the user.");
    expect((await client.event(sessionId, "tool.execution_complete", before)).data).toMatchObject({
      success: false,
      error: { code: "unavailable" },
    });
    await second.close();
  });

  test("ends with a typed failure after the deadline when its client hangs", async () => {
    await using other = await tempHome();
    await using short = await startServer(other.path, { flags: ["--question-deadline", "1"] });
    const hung = await short.connect();
    hung.answers.set(REQUEST, WAITING);
    const sessionId = await create({ requestUserInput: true }, hung);
    expect(await hung.ask(sessionId, "Ask me.")).toBe("Thanks.");
    expect(toldModel()).toBe("The user did not answer the question in time.");
    expect((await hung.event(sessionId, "tool.execution_complete")).data.error.code).toBe("timeout");
    await hung.close();
  });

  test("ends with the run that is aborted", async () => {
    client.answers.set(REQUEST, WAITING);
    const sessionId = await create({ requestUserInput: true });
    await send(sessionId);
    const { data } = await client.event(sessionId, "user_input.requested");
    await client.request("session.abort", { sessionId });
    await client.event(sessionId, "abort");
    const late = { sessionId, requestId: data.requestId, response: { answer: "red", wasFreeform: false } };
    expect(await client.request("session.ui.handlePendingUserInput", late)).toEqual({ success: false });
  });

  test("is asked again under the same id after the server was killed", async () => {
    await using other = await tempHome();
    const first = await spawnServer(other.path);
    const before = await first.connect();
    before.answers.set(REQUEST, WAITING);
    const sessionId = await create({ requestUserInput: true }, before);
    await before.request("session.send", { sessionId, prompt: "Ask me." });
    const { data } = await before.event(sessionId, "user_input.requested");
    await first.kill("SIGKILL");
    await before.ended;
    const second = await spawnServer(other.path);
    // Whoever goes on with the work cannot answer; somebody else comes who can.
    const worker = await second.connect();
    await worker.request("session.resume", { sessionId, ...settings(), continuePendingWork: true });
    expect((await worker.event(sessionId, "user_input.requested")).data).toEqual(data);
    const person = await second.connect();
    person.answers.set(REQUEST, () => ({ answer: "blue", wasFreeform: false }));
    await person.request("session.resume", { sessionId, requestUserInput: true });
    await worker.event(sessionId, "session.idle");
    expect(toldModel()).toBe("User selected: blue");
    await Promise.all([worker.close(), person.close()]);
    await second.kill("SIGTERM");
  });

  test("fails when the model leaves the question out", async () => {
    model.use([{ toolCalls: [{ name: "ask_user", arguments: { choices: "red" } }] }, { text: "Sorry." }]);
    const sessionId = await create({ requestUserInput: true });
    await client.ask(sessionId, "Ask me.");
    expect((await client.event(sessionId, "tool.execution_complete")).data.success).toBe(false);
  });
});
