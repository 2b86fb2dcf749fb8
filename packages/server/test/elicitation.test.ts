/** Forms over the bare wire: who is asked, and what becomes of one that nobody answers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

const SCHEMA = { type: "object", properties: { confirmed: { type: "boolean" } }, required: ["confirmed"] };

let home: TempHome;
let server: TestServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  server = await startServer(home.path, { flags: ["--question-deadline", "1"] });
});
beforeEach(async () => {
  client = await server.connect();
  return () => client.close();
});
afterAll(async () => {
  await server.shutdown();
  await home[Symbol.asyncDispose]();
});

const create = async (more: object = {}): Promise<string> =>
  (await client.request("session.create", { sessionId: `forms-${next++}`, model: "demo", ...more }))
    .sessionId;
const ask = (sessionId: string) =>
  client.request("session.ui.elicitation", { sessionId, message: "Sure?", requestedSchema: SCHEMA });

describe("a form", () => {
  test("is refused when no client can show it", async () => {
    await expect(ask(await create())).rejects.toMatchObject({ data: { reason: "not_supported" } });
  });

  test("that nobody answers is cancelled after the deadline, and clients are told", async () => {
    const sessionId = await create({ requestElicitation: true });
    expect(await ask(sessionId)).toEqual({ action: "cancel" });
    const { data } = await client.event(sessionId, "elicitation.completed");
    expect(data).toMatchObject({ action: "cancel" });
    const late = { sessionId, requestId: data.requestId, result: { action: "accept" } };
    expect(await client.request("session.ui.handlePendingElicitation", late)).toEqual({ success: false });
  });

  test("is cancelled when the client that asked has gone", async () => {
    const sessionId = await create();
    const person = await server.connect();
    await person.request("session.resume", { sessionId, requestElicitation: true });
    const asking = ask(sessionId).catch((error) => error);
    await person.event(sessionId, "elicitation.requested");
    await client.close();
    expect((await person.event(sessionId, "elicitation.completed")).data).toMatchObject({ action: "cancel" });
    expect(await asking).toBeInstanceOf(Error);
    await person.close();
  });

  test("is cancelled when its session is deleted", async () => {
    await using other = await tempHome();
    await using patient = await startServer(other.path);
    const asker = await patient.connect();
    const { sessionId } = await asker.request("session.create", { model: "demo", requestElicitation: true });
    const asking = asker.request("session.ui.elicitation", {
      sessionId,
      message: "Sure?",
      requestedSchema: SCHEMA,
    });
    await asker.event(sessionId, "elicitation.requested");
    await asker.request("session.delete", { sessionId });
    expect(await asking).toEqual({ action: "cancel" });
    await asker.close();
  });

  test("may be answered by a client that only watches for it", async () => {
    const sessionId = await create();
    await client.request("session.eventLog.registerInterest", {
      sessionId,
      eventType: "elicitation.requested",
    });
    const asking = ask(sessionId);
    const { data } = await client.event(sessionId, "elicitation.requested");
    expect(data).toMatchObject({ message: "Sure?", mode: "form", requestedSchema: SCHEMA });
    const result = { action: "accept", content: { confirmed: true } };
    await client.request("session.ui.handlePendingElicitation", {
      sessionId,
      requestId: data.requestId,
      result,
    });
    expect(await asking).toEqual(result);
  });
});
