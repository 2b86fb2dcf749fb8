/** What the newest official SDK can do beyond: typed results, and installations that a human confirms. */

import { startScriptedModelServer } from "@rightseat/testing";
import { type } from "arktype";
import * as valibot from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { startServer, tempHome } from "../../server/test/support/servers.ts";
import {
  CopilotClient,
  defineFactory,
  defineWorkflow,
  RuntimeConnection,
  type StandardSchema,
} from "../src/index.ts";
import { witness } from "./support/conversation.ts";
import { startRecordingServer } from "./support/recording-server.ts";
import { startWorld, type World } from "./support/world.ts";

test("a schema as the second argument gives a typed result, and says why there is none", async () => {
  await using home = await tempHome();
  await using model = await startScriptedModelServer();
  const server = await startServer(home.path);
  await using client = new CopilotClient({
    connection: RuntimeConnection.forUri(`localhost:${server.port}`),
  });
  const session = await client.createSession({
    model: "scripted",
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
  });
  const total = z.object({ total: z.number() });
  expect(await session.sendAndWait('echo {"total":7}', total)).toEqual({ total: 7 });
  const standard: StandardSchema<{ total: number }> = {
    "~standard": { ...total["~standard"], vendor: "v" } as never,
  };
  expect((await session.sendAndWait('echo {"total":7}', standard, { timeoutMs: 60_000 })).total).toBe(7);
  await expect(session.sendAndWait('echo {"total":"x"}', total)).rejects.toThrow(z.ZodError);
  await expect(session.sendAndWait("echo seven", total)).rejects.toThrow("the answer is no JSON");
  await expect(session.sendAndWait("p", { type: "object" } as never)).rejects.toThrow(TypeError);
  await expect(session.sendAndWait({ prompt: "p", mode: "immediate" }, total)).rejects.toThrow("under way");
  await expect(session.sendAndWait({ prompt: "p", responseSchema: {} }, total)).rejects.toThrow("twice");
  await server.shutdown();
});

test("an installation is confirmed by a human, whose decision goes with the challenge; nothing else confirms it", async () => {
  await using server = await startRecordingServer();
  const decisions: unknown[] = ["confirm", "yes"];
  const request = { confirmationId: "c", reviewFingerprint: "f" };
  const connection = RuntimeConnection.forUri(`localhost:${server.port}`);
  const asked: unknown[] = [];
  await using client = new CopilotClient({
    connection,
    installationConfirmationHandler: (given, { isCancellationRequested }) => {
      asked.push(given, isCancellationRequested);
      return decisions.shift() as "confirm";
    },
  });
  await client.start();
  const confirm = () => server.peers[0]?.request("installations.confirm", request);
  expect(await confirm()).toEqual({ ...request, decision: "confirm" });
  expect(asked).toEqual([request, false]);
  await expect(confirm()).rejects.toThrow('expected "confirm", "decline" or "cancel"');
});

describe("a typed result", () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    world.model.use(({ body }) => {
      const last = JSON.stringify((body["messages"] as unknown[]).at(-1));
      if (last.includes("refused")) return { status: 400, body: { error: { message: "no such thing" } } };
      return last.includes("no end") ? { hang: true } : undefined;
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const total = z.object({ total: z.number() });
  const open = (more = {}) => world.connect().createSession(witness(world.model, more).config);

  test.each<[string, StandardSchema<{ total: number }>]>([
    ["Zod 4", total],
    ["Zod 3", z3.object({ total: z3.number() }) as never],
    ["Valibot", valibot.object({ total: valibot.number() })],
    ["ArkType", type({ total: "number" }) as never],
  ])(
    "by a schema of %s is what the schema makes of the answer, and one that does not fit rejects",
    async (_library, schema) => {
      const session = await open();
      expect(await session.sendAndWait('echo {"total":7}', schema)).toEqual({ total: 7 });
      await expect(session.sendAndWait('echo {"total":"x"}', schema)).rejects.toThrow(/total|number/);
    },
  );

  test("of a run that fails rejects as the run did", async () => {
    await expect((await open()).sendAndWait("refused", total)).rejects.toThrow("no such thing");
  });

  test("of a run that is aborted rejects, whether something was said before or not", async () => {
    const session = await open();
    const begun = new Promise<void>((resolve) => {
      session.on("assistant.turn_start", () => resolve());
    });
    const waiting = session.sendAndWait("no end", total);
    waiting.catch(() => undefined);
    await begun;
    await session.abort();
    await expect(waiting).rejects.toThrow("the run was aborted before it had an answer of the schema's form");
    expect(await session.sendAndWait('echo {"total":7}', total)).toEqual({ total: 7 });
  });

  test("is that of its own prompt, when others wait, too", async () => {
    const session = await open();
    const [one, , two] = await Promise.all([
      session.sendAndWait('echo {"total":1}', total),
      session.sendAndWait("echo between"),
      session.sendAndWait('echo {"total":2}', total),
    ]);
    expect([one, two]).toEqual([{ total: 1 }, { total: 2 }]);
  });
});

test("factories and workflows are refused by name", async () => {
  await using server = await startRecordingServer();
  await using client = new CopilotClient({
    connection: RuntimeConnection.forUri(`localhost:${server.port}`),
  });
  const session = await client.createSession({});
  expect(() => session.workflow).toThrow(/^session.workflow is not supported by @rightseat\/sdk: /);
  expect(() => session.factory).toThrow(/^session.factory is not supported/);
  expect(() => defineWorkflow({})).toThrow(/^defineWorkflow is not supported/);
  expect(() => defineFactory({})).toThrow(/^defineFactory is not supported/);
});
