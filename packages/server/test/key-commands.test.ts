/** Providers whose key a command tells: through the real server, with real commands. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
/** What the provider takes. */
let good: (authorization: string | undefined) => boolean = () => true;
const came: (string | undefined)[] = [];

beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  model.use(({ headers }) => {
    came.push(headers.authorization);
    return good(headers.authorization)
      ? { text: "done" }
      : { status: 401, body: { error: { message: "no such key" } } };
  });
  server = await startServer(home.path, {
    storeKind: "files",
    env: {
      PATH: process.env.PATH ?? "",
      RIGHTSEAT_ALLOW_API_KEY_COMMANDS: "true",
      COPILOT_CONNECTION_TOKEN: "",
      SOME_SECRET: "not-for-commands",
    },
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await model.close();
  await home[Symbol.asyncDispose]();
});

let made = 0;
async function create(apiKeyCommand: unknown, more: object = {}) {
  const client = await server.connect();
  came.length = 0;
  const sessionId = `k${made++}`;
  const provider = { type: "openai", baseUrl: `${model.url}/v1`, apiKeyCommand, ...more };
  await client.request("session.create", { sessionId, model: "scripted", provider });
  return { client, sessionId };
}

/** Prints another key each time, and writes down that it ran. */
const counting = (name: string) =>
  `printf x >> '${join(home.path, name)}'; printf 'key-%s\\n' "$(wc -c < '${join(home.path, name)}' | tr -d ' ')"`;

describe("apiKeyCommand", () => {
  test("what it prints is the key, of all turns", async () => {
    good = () => true;
    const { client, sessionId } = await create(counting("all"));
    for (const turn of [1, 2, 3]) expect(await client.ask(sessionId, `turn ${turn}`)).toBe("done");
    expect(came).toEqual(["Bearer key-1", "Bearer key-1", "Bearer key-1"]);
    expect(await readFile(join(home.path, "all"), "utf8")).toBe("x");
  });

  test("is asked again when the provider refuses its key, and the turn goes on", async () => {
    good = (authorization) => authorization !== "Bearer key-1";
    const { client, sessionId } = await create(counting("again"));
    expect(await client.ask(sessionId, "go")).toBe("done");
    expect(came).toEqual(["Bearer key-1", "Bearer key-2"]);
  });

  test("is asked twice for a provider that refuses all of its keys, then the turn fails", async () => {
    good = () => false;
    const { client, sessionId } = await create(counting("never"));
    await client.request("session.send", { sessionId, prompt: "go" });
    const { data } = await client.event(sessionId, "session.error");
    expect(data).toMatchObject({ errorType: "authentication", statusCode: 401 });
    expect(came).toHaveLength(2);
  });

  test("that fails ends the turn with what it said, and no request is sent", async () => {
    const { client, sessionId } = await create("echo 'the vault is sealed' >&2; exit 7");
    await client.request("session.send", { sessionId, prompt: "go" });
    const { data } = await client.event(sessionId, "session.error");
    expect(data).toMatchObject({
      errorType: "authentication",
      message: expect.stringContaining("ended with exit code 7: the vault is sealed"),
    });
    expect(came).toEqual([]);
  });

  test("gets the environment that all commands get", async () => {
    good = () => true;
    const { client, sessionId } = await create(
      "printf 'k-%s-%s' \"$(printenv SOME_SECRET || echo none)\" \"$(printenv PATH | wc -l | tr -d ' ')\"",
    );
    await client.ask(sessionId, "go");
    expect(came).toEqual(["Bearer k-none-1"]);
  });

  test("does not run beside a token, which goes before it", async () => {
    good = () => true;
    const { client, sessionId } = await create(counting("beside"), { bearerToken: "token" });
    await client.ask(sessionId, "go");
    expect(came).toEqual(["Bearer token"]);
    await expect(readFile(join(home.path, "beside"))).rejects.toThrow("ENOENT");
  });

  test("its key is in no event and no file of the session", async () => {
    good = () => true;
    const { client, sessionId } = await create("printf 'very-%s' secret-key");
    await client.ask(sessionId, "go");
    expect(came).toEqual(["Bearer very-secret-key"]);
    expect(JSON.stringify(client.of(sessionId))).not.toContain("very-secret-key");
    const log = await readFile(join(home.path, "session-state", sessionId, "events.jsonl"), "utf8");
    expect(log).not.toContain("secret-key");
  });

  test.each([5, "", ["echo"]])("is refused as %j", async (command) => {
    await expect(create(command)).rejects.toMatchObject({ data: { reason: "invalid_params" } });
  });
});

test("without the operator's consent an apiKeyCommand is refused by name, wherever it comes", async () => {
  await using other = await tempHome();
  await using strict = await startServer(other.path);
  const client = await strict.connect();
  const named = { name: "mine", type: "openai", baseUrl: `${model.url}/v1`, apiKeyCommand: "touch ran" };
  const refusal = (path: string) => ({
    message: expect.stringContaining("RIGHTSEAT_ALLOW_API_KEY_COMMANDS=true"),
    data: expect.objectContaining({ reason: "not_supported", path }),
  });
  const { name: _, ...provider } = named;
  const model1 = { id: "m", provider: "mine" };
  await expect(client.request("session.create", { provider, model: "m" })).rejects.toMatchObject(
    refusal("provider.apiKeyCommand"),
  );
  await expect(
    client.request("session.create", { providers: [named], models: [model1] }),
  ).rejects.toMatchObject(refusal("providers[0].apiKeyCommand"));
  const sessionId = "plain";
  await client.request("session.create", { sessionId, model: "demo" });
  for (const method of ["session.provider.add", "session.provider.sync"])
    await expect(
      client.request(method, { sessionId, providers: [named], models: [model1] }),
    ).rejects.toMatchObject(refusal("providers[0].apiKeyCommand"));
  await expect(client.request("session.resume", { sessionId, provider })).rejects.toMatchObject(
    refusal("provider.apiKeyCommand"),
  );
  await expect(client.request("session.options.update", { sessionId, provider })).rejects.toMatchObject(
    refusal("provider.apiKeyCommand"),
  );
});
