import { startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import { createProvider } from "./create-provider.ts";

describe("createProvider", () => {
  it.each([
    [{ type: "demo" }, "demo"],
    [{ type: "openai", baseUrl: "http://h" }, "openai"],
    [{ type: "openai", wireApi: "responses", baseUrl: "http://h" }, "openai"],
    [{ type: "azure", baseUrl: "http://h" }, "azure"],
    [{ type: "anthropic", baseUrl: "http://h" }, "anthropic"],
    [{ type: "copilot", baseUrl: "http://h" }, "copilot"],
  ] as const)("makes %o", (settings, name) => {
    expect(createProvider(settings).name).toBe(name);
  });

  it.each(["openai", "anthropic"] as const)("lists the models of %s", async (type) => {
    await using server = await startScriptedModelServer({
      models: [{ id: "a" }, { id: "b", display_name: "B" }],
    });
    const models = await createProvider({ type, baseUrl: `${server.url}/v1` }).listModels?.(
      new AbortController().signal,
    );
    expect(models?.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(server.listings[0]?.url.split("?")[0]).toBe("/v1/models");
  });

  it("asks for the credential and calls the given fetch for each request", async () => {
    await using server = await startScriptedModelServer();
    const asked: string[] = [];
    const provider = createProvider({
      type: "openai",
      baseUrl: "http://somewhere.invalid/v1",
      credential: async () => ({ kind: "api-key", value: `key-${asked.push("credential")}` }),
      fetch: (_input, init) => fetch(`${server.url}/chat/completions`, init),
    });
    const request = { model: "m", system: "", messages: [], tools: [], stream: false };
    for (let round = 0; round < 2; round++)
      for await (const _ of provider.generate(request, new AbortController().signal));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer key-1",
      "Bearer key-2",
    ]);
  });
});
