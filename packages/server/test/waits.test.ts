/** `session.sendAndWait`, and what other waits are told by: errors of their own prompt, and an idle that is theirs. */
import { type ModelScript, type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
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
  model.use(failsOnDemand);
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

/** A prompt that says "fail" is refused, one that says "hang" never answered. */
const failsOnDemand: ModelScript = ({ body }) => {
  const last = JSON.stringify((body["messages"] as unknown[]).at(-1));
  if (last.includes("fail")) return { status: 400, body: { error: { message: "no such thing" } } };
  return last.includes("hang") ? { hang: true } : undefined;
};

async function create(more: object = {}): Promise<string> {
  const { sessionId } = await client.request("session.create", {
    sessionId: `waits-${next++}`,
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" },
    ...more,
  });
  return sessionId;
}

const sendAndWait = (sessionId: string, prompt: string, more: object = {}) =>
  client.request("session.sendAndWait", { sessionId, prompt, ...more });
/** Resolves once a second prompt was taken behind the one that runs. */
const waits = (sessionId: string) =>
  client.until(() => typesOf(sessionId).filter((type) => type === "pending_messages.modified").length > 1);
const typesOf = (sessionId: string) => client.of(sessionId).map(({ type }) => type);

describe("session.sendAndWait", () => {
  test("answers with the last answer, and with the event that told its end", async () => {
    const sessionId = await create();
    const end = await sendAndWait(sessionId, "echo hello");
    const events = client.of(sessionId);
    expect(end).toEqual({
      messageId: events.find(({ type }) => type === "user.message")?.data.messageId,
      aborted: false,
      response: events.find(({ type }) => type === "assistant.message"),
      completionEventId: events.find(({ type }) => type === "session.idle")?.id,
    });
    expect(end.response.data.content).toBe("hello");
  });

  test("fails with the error of its run, whose event it names", async () => {
    const sessionId = await create();
    const failed = sendAndWait(sessionId, "fail");
    await expect(failed).rejects.toMatchObject({
      code: -32000,
      message: expect.stringContaining("no such thing"),
      data: { reason: "run_failed" },
    });
    const error = client.of(sessionId).find(({ type }) => type === "session.error");
    await expect(failed).rejects.toMatchObject({ data: { completionEventId: error?.id } });
  });

  test("of three at once only the one fails whose prompt failed, and each has its own answer", async () => {
    const sessionId = await create();
    const ends = await Promise.allSettled(
      ["echo first", "fail", "echo third"].map((prompt) => sendAndWait(sessionId, prompt)),
    );
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    const contents = ends.map((end) =>
      end.status === "fulfilled" ? end.value.response.data.content : undefined,
    );
    expect(contents).toEqual(["first", undefined, "third"]);
    // Another prompt had its turn at once: no event told the end of the first.
    expect(ends[0]).not.toHaveProperty("value.completionEventId");
  });

  test("cancelled, it ends at once, and the run goes on", async () => {
    const sessionId = await create();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    model.use(async () => {
      await released;
      return { text: "late" };
    });
    const controller = new AbortController();
    const waiting = client.request("session.sendAndWait", { sessionId, prompt: "x" }, controller.signal);
    await client.event(sessionId, "user.message");
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    release();
    expect((await client.event(sessionId, "assistant.message")).data.content).toBe("late");
    await client.event(sessionId, "session.idle");
  });

  test("tells that its run was aborted", async () => {
    const sessionId = await create();
    const waiting = sendAndWait(sessionId, "hang");
    await model.until(({ requests }) => requests.length > 0);
    await client.event(sessionId, "assistant.turn_start");
    await client.request("session.abort", { sessionId });
    expect(await waiting).toMatchObject({ aborted: true, completionEventId: expect.any(String) });
  });

  test("tells that its prompt was taken out of the queue", async () => {
    const sessionId = await create();
    const first = sendAndWait(sessionId, "hang");
    await client.event(sessionId, "assistant.turn_start");
    const second = sendAndWait(sessionId, "echo never");
    await waits(sessionId);
    await client.request("session.abort", { sessionId });
    expect(await second).toEqual({ messageId: expect.any(String), aborted: true });
    expect(await first).toMatchObject({ aborted: true });
  });

  test("a prompt that steers is answered by the run that it enters", async () => {
    const sessionId = await create();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let calls = 0;
    model.use(async () => {
      const isFirst = calls++ === 0;
      if (isFirst) await released;
      return { text: isFirst ? "before" : "after" };
    });
    const first = sendAndWait(sessionId, "begin");
    await client.event(sessionId, "assistant.turn_start");
    const steering = sendAndWait(sessionId, "turn", { mode: "immediate" });
    await waits(sessionId);
    release();
    expect((await steering).response.data.content).toBe("after");
    expect((await first).response.data.content).toBe("after");
  });

  test("ends with a typed error when the session is let go", async () => {
    const sessionId = await create();
    const waiting = sendAndWait(sessionId, "hang");
    const [end] = await Promise.allSettled([waiting, deleteOnceItRuns(sessionId)]);
    expect(end).toMatchObject({ reason: { data: { reason: "session_not_found" } } });
  });

  test("asked for again under its id, it has the end that the log tells, also after the session was let go", async () => {
    const sessionId = await create();
    const again = (messageId: string) => sendAndWait(sessionId, "other words", { messageId });
    const first = await sendAndWait(sessionId, "echo one", { messageId: "m1" });
    await expect(sendAndWait(sessionId, "fail", { messageId: "m2" })).rejects.toMatchObject({
      data: { reason: "run_failed" },
    });
    await sendAndWait(sessionId, "echo three", { messageId: "m3" });
    const { completionEventId: _, ...end } = first;
    expect(await again("m1")).toEqual(end);
    const error = client.of(sessionId).find(({ type }) => type === "session.error");
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", {
      sessionId,
      provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
    });
    expect(await again("m1")).toEqual(end);
    await expect(again("m2")).rejects.toMatchObject({
      message: error?.data.message,
      data: { reason: "run_failed", completionEventId: error?.id },
    });
    expect(client.of(sessionId).filter(({ type }) => type === "user.message")).toHaveLength(3);
  });

  test("on autopilot the end of its run is told by an event of its own", async () => {
    const sessionId = await create();
    await client.request("session.mode.set", { sessionId, mode: "autopilot" });
    model.use([{ toolCalls: [{ name: "task_complete", arguments: { summary: "all done" } }] }]);
    const end = await sendAndWait(sessionId, "do it");
    const stopped = client.of(sessionId).find(({ type }) => type === "session.autopilot_stopped");
    expect(stopped?.data).toEqual({ reason: "task_complete", requestId: end.messageId });
    expect(end).toMatchObject({ aborted: false, completionEventId: stopped?.id });
  });
});

async function deleteOnceItRuns(sessionId: string): Promise<void> {
  await client.event(sessionId, "assistant.turn_start");
  await client.request("session.delete", { sessionId });
}

describe("other waits", () => {
  test("an error names the message whose run failed", async () => {
    const sessionId = await create();
    const { messageId } = await client.request("session.send", { sessionId, prompt: "fail" });
    const { data } = await client.event(sessionId, "session.error");
    expect(data.originatingMessageId).toBe(messageId);
  });

  test("a prompt that follows a failure at once is not called idle before its own end", async () => {
    const sessionId = await create();
    await client.request("session.send", { sessionId, prompt: "fail" });
    await client.event(sessionId, "session.error");
    await client.request("session.send", { sessionId, prompt: "echo good" });
    await client.event(sessionId, "session.idle");
    const told = typesOf(sessionId);
    expect(told.filter((type) => type === "session.idle")).toHaveLength(1);
    expect(told.indexOf("session.idle")).toBeGreaterThan(told.lastIndexOf("assistant.message"));
  });

  test("a failure that nothing follows leaves the session idle", async () => {
    const sessionId = await create();
    await client.request("session.send", { sessionId, prompt: "fail" });
    await client.event(sessionId, "session.idle");
    expect(typesOf(sessionId).filter((type) => type === "session.error")).toHaveLength(1);
  });
});
