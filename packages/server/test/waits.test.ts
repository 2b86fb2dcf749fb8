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

describe("waits that race", () => {
  /** The first call of the model is answered when it is released, and what it waits for with it. */
  function heldUp(): { release: () => void } {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let calls = 0;
    model.use(async () => {
      if (calls++ === 0) await released;
      return undefined;
    });
    return { release };
  }
  const outcomeOf = (
    end: PromiseSettledResult<{ response?: { data: { content: string } }; aborted: boolean }>,
  ) =>
    end.status === "rejected"
      ? (end.reason as Error).message
      : (end.value.response?.data.content ?? end.value);
  const cancellable = (sessionId: string, prompt: string) => {
    const controller = new AbortController();
    const wait = client.request("session.sendAndWait", { sessionId, prompt }, controller.signal);
    wait.catch(() => undefined);
    return { wait, cancel: () => controller.abort(new Error("enough")) };
  };
  const answersOf = (sessionId: string) =>
    client.of(sessionId).flatMap(({ type, data }) => (type === "assistant.message" ? [data.content] : []));

  test.each([
    [0, ["enough", "two", "three"]],
    [1, ["one", "enough", "three"]],
    [2, ["one", "two", "enough"]],
  ])(
    "of three at once the cancelled one (%i) ends alone, and its prompt is answered all the same",
    async (at, ends) => {
      const sessionId = await create();
      const { release } = heldUp();
      const waits = ["one", "two", "three"].map((word) => cancellable(sessionId, `echo ${word}`));
      await client.until(
        () => typesOf(sessionId).filter((type) => type === "pending_messages.modified").length > 2,
      );
      waits[at]?.cancel();
      await expect(waits[at]?.wait).rejects.toThrow("enough");
      release();
      expect((await Promise.allSettled(waits.map(({ wait }) => wait))).map(outcomeOf)).toEqual(ends);
      await client.event(sessionId, "session.idle");
      expect(answersOf(sessionId)).toEqual(["one", "two", "three"]);
    },
  );

  test("one that is cancelled before the server has read it ends alone", async () => {
    const sessionId = await create();
    const first = cancellable(sessionId, "echo one");
    const second = cancellable(sessionId, "echo two");
    second.cancel();
    const third = cancellable(sessionId, "echo three");
    const ends = await Promise.allSettled([first.wait, second.wait, third.wait]);
    expect(ends.map(outcomeOf)).toEqual(["one", "enough", "three"]);
    expect((await sendAndWait(sessionId, "echo four")).response.data.content).toBe("four");
  });

  test("one whose queued prompt is removed tells so, and the others have their answers", async () => {
    const sessionId = await create();
    const { release } = heldUp();
    const waits = ["one", "two", "three"].map((word) => cancellable(sessionId, `echo ${word}`).wait);
    await client.until(
      () => typesOf(sessionId).filter((type) => type === "pending_messages.modified").length > 2,
    );
    const { items } = await client.request("session.queue.pendingItems", { sessionId });
    await client.request("session.queue.removeAt", { sessionId, id: items[0].id });
    release();
    expect((await Promise.allSettled(waits)).map(outcomeOf)).toEqual([
      "one",
      { messageId: expect.any(String), aborted: true },
      "three",
    ]);
  });

  test("with an abort and the deletion of the session at once, each has its own end", async () => {
    const sessionId = await create();
    const [first, second] = ["hang", "echo never"].map((prompt) => cancellable(sessionId, prompt).wait);
    await waits(sessionId);
    const [aborted, deleted, ...ends] = await Promise.allSettled([
      client.request("session.abort", { sessionId }),
      client.request("session.delete", { sessionId }),
      first,
      second,
    ]);
    expect([aborted.status, deleted.status]).toEqual(["fulfilled", "fulfilled"]);
    // What runs is ended by whichever comes first to it; what waited was taken out by the abort.
    const [ran, waited] = ends as PromiseSettledResult<{ aborted: boolean }>[];
    expect(ran?.status === "rejected" ? ran.reason.data.reason : ran?.value.aborted).toSatisfy(
      (end) => end === "session_not_found" || end === true,
    );
    expect(waited).toMatchObject({ value: { aborted: true } });
    await expect(sendAndWait(sessionId, "echo late")).rejects.toMatchObject({
      data: { reason: "session_not_found" },
    });
  });

  test("the deletion alone ends each as of a session that is gone", async () => {
    const sessionId = await create();
    const both = ["hang", "echo never"].map((prompt) => cancellable(sessionId, prompt).wait);
    await waits(sessionId);
    const deleted = client.request("session.delete", { sessionId });
    for (const wait of both)
      await expect(wait).rejects.toMatchObject({ data: { reason: "session_not_found" } });
    await deleted;
  });
});

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
