/**
 * Numbers that mean something else than how many (zero, a negative one, one that no timer and no counter holds, a
 * fraction), in every place of the wire that takes a number: each is honoured with its meaning, or refused by name.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { paramsValidators } from "@rightseat/protocol/validators";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NumberField, numberFieldsOf } from "./support/number-fields.ts";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import { validParams } from "./support/valid-params.ts";
import type { WireClient } from "./support/wire-client.ts";

const ODD = [0, -1, 2 ** 31, 1e308, 0.5, 1.5];

let home: TempHome;
let server: TestServer;
let model: ScriptedModelServer;
let client: WireClient;
let next = 0;
beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path, { flags: ["--allow-all"] });
  client = await server.connect();
});
afterAll(async () => {
  await client.close();
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const provider = () => ({ type: "openai", baseUrl: `${model.url}/v1`, apiKey: "secret-key" });

async function create(more: object = {}): Promise<string> {
  const sessionId = `numbers-${next++}`;
  await client.request("session.create", { sessionId, model: "scripted", provider: provider(), ...more });
  return sessionId;
}

/** What it was answered with: the error's words, or nothing when it was done. */
async function outcome(method: string, params: unknown): Promise<{ reason?: string; message?: string }> {
  try {
    await client.request(method, params);
    return {};
  } catch (error) {
    const { data, message } = error as { data?: { reason?: string }; message: string };
    return { reason: data?.reason ?? "none", message };
  }
}

/** What the method requires is filled in around the number, which stays as it is. */
function paramsFor(method: string, field: NumberField, value: number, sessionId: string) {
  const make = {
    random: () => 0.5,
    valueFor: (name: string) => (name === "sessionId" ? sessionId : undefined),
    text: () => "x",
  };
  const params = validParams(method, { ...field.wrap(1), sessionId }, make);
  const keys = field.path.split(/[.[\]]+/).filter((key) => key !== "");
  const name = keys.pop() as string;
  let at = params as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  at[name] = value;
  if (method === "session.create") params["sessionId"] = `numbers-${next++}`;
  // An address that is none would be refused before the number is looked at.
  if (params["provider"]) params["provider"] = { ...(params["provider"] as object), ...provider() };
  return params;
}

const METHODS = Object.keys(paramsValidators).filter((method) => numberFieldsOf(method).length > 0);

describe("every number of every method", () => {
  test("is looked for in all that have one", () => {
    expect(METHODS).toEqual(
      expect.arrayContaining(["session.create", "session.shell.exec", "session.eventLog.read"]),
    );
  });

  test.each(METHODS)("%s takes it, or refuses it by name", async (method) => {
    const sessionId = await create();
    for (const field of numberFieldsOf(method)) {
      const usual = await outcome(method, paramsFor(method, field, 1, sessionId));
      const name = field.path.split(".").at(-1)?.replace("[0]", "") as string;
      for (const value of ODD) {
        const { reason, message } = await outcome(method, paramsFor(method, field, value, sessionId));
        const where = `${method} ${field.path} = ${value}: ${message}`;
        expect(reason, where).not.toBe("internal_error");
        expect(reason, where).not.toBe("none");
        if (message !== usual.message && reason === "invalid_params") expect(message, where).toContain(name);
        else expect(reason, where).toBe(usual.reason);
      }
      if (usual.reason === "not_supported") break;
    }
    await client.request("session.delete", { sessionId });
    expect(server.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("zero means", () => {
  /** What the provider is sent, and what the session says of its window. */
  async function limitsOf(sessionId: string) {
    await client.request("session.sendAndWait", { sessionId, prompt: "echo hi" });
    const { contextInfo } = await client.request("session.metadata.contextInfo", {
      sessionId,
      promptTokenLimit: 0,
      outputTokenLimit: 0,
    });
    return { sent: model.requests.at(-1)?.body["max_tokens"], window: contextInfo.promptTokenLimit };
  }

  test("a limit of a model that is not known: its usual one", async () => {
    const usual = await limitsOf(await create());
    const zero = { maxPromptTokens: 0, maxContextWindowTokens: 0, maxOutputTokens: 0 };
    const limits = { max_prompt_tokens: 0, max_context_window_tokens: 0, max_output_tokens: 0 };
    expect(await limitsOf(await create({ provider: { ...provider(), ...zero } }))).toEqual(usual);
    expect(await limitsOf(await create({ modelCapabilities: { limits } }))).toEqual(usual);
    expect(usual).toEqual({ sent: undefined, window: expect.any(Number) });
  });

  test("half of a window of 2^31 tokens is kept for the answer at most, and no more than that", async () => {
    const huge = { maxContextWindowTokens: 2 ** 31, maxOutputTokens: 2 ** 31 };
    const { window } = await limitsOf(await create({ provider: { ...provider(), ...huge } }));
    expect(window).toBe(2 ** 30);
  });

  test("no limit of time, as one does that no timer holds: session.shell.exec", async () => {
    const sessionId = await create();
    const started = [0, 2 ** 31, 2 ** 32, 1e308].map((timeout) =>
      client.request("session.shell.exec", {
        sessionId,
        command: "until [ -e may-end ]; do sleep 0.05; done",
        cwd: home.work,
        timeout,
      }),
    );
    const ids: string[] = (await Promise.all(started)).map(({ processId }) => processId);
    await writeFile(join(home.work, "may-end"), "");
    const ends = await client.until(() => {
      const told = client.of(sessionId).filter(({ type }) => type === "tool.execution_complete");
      return told.length === ids.length && told;
    });
    expect(ends.map(({ data }) => [data.toolCallId, data.success]).sort()).toEqual(
      ids.map((id) => [id, true]).sort(),
    );
  });

  test("compaction before every call, and a share that is none is refused by name", async () => {
    const shares = ["backgroundCompactionThreshold", "bufferExhaustionThreshold"] as const;
    const sessionId = await create({ infiniteSessions: { [shares[0]]: 0, [shares[1]]: 0 } });
    for (const prompt of ["echo one", "echo two"])
      await client.request("session.sendAndWait", { sessionId, prompt });
    expect(client.of(sessionId).some(({ type }) => type === "session.compaction_start")).toBe(true);
    for (const share of shares)
      for (const value of [-0.1, 1.1, 80])
        await expect(create({ infiniteSessions: { [share]: value } })).rejects.toMatchObject({
          message: expect.stringContaining(`infiniteSessions.${share}`),
          data: { reason: "invalid_params" },
        });
  });

  test("no wait: session.eventLog.read at the end of the log answers with nothing", async () => {
    const sessionId = await create();
    const { cursor } = await client.request("session.eventLog.tail", { sessionId });
    expect(await client.request("session.eventLog.read", { sessionId, cursor, waitMs: 0 })).toMatchObject({
      events: [],
    });
  });
});
