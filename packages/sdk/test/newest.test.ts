/** What the newest official SDK can do beyond: typed results, and installations that a human confirms. */

import { startScriptedModelServer } from "@rightseat/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { startServer, tempHome } from "../../server/test/support/servers.ts";
import { CopilotClient, RuntimeConnection, type StandardSchema } from "../src/index.ts";
import { startRecordingServer } from "./support/recording-server.ts";

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
