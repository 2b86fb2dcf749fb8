import { collect, startScriptedModelServer } from "@rightseat/testing";
import { describe, expect, it } from "vitest";
import type { ModelRequest, ProviderSettings } from "../model-provider.ts";
import { createAzureProvider } from "./provider.ts";

const REQUEST: ModelRequest = {
  model: "my-gpt",
  system: "",
  messages: [{ role: "user", content: "Hi" }],
  tools: [],
  stream: true,
};

async function callAzure(path: string, settings: Partial<ProviderSettings>) {
  await using server = await startScriptedModelServer();
  const provider = createAzureProvider({ type: "azure", baseUrl: server.url + path, ...settings });
  await collect(provider.generate(REQUEST, new AbortController().signal));
  const [request] = server.requests;
  return {
    url: request?.url,
    apiKey: request?.headers["api-key"],
    authorization: request?.headers.authorization,
  };
}

describe("the Azure provider", () => {
  it("sends keys as api-key and tokens as Authorization, never both", async () => {
    expect(await callAzure("", { credential: async () => ({ kind: "api-key", value: "k123" }) })).toEqual({
      url: "/openai/v1/chat/completions",
      apiKey: "k123",
      authorization: undefined,
    });
    expect(await callAzure("", { credential: async () => ({ kind: "bearer", value: "t123" }) })).toEqual({
      url: "/openai/v1/chat/completions",
      apiKey: undefined,
      authorization: "Bearer t123",
    });
  });

  it.each([
    ["/openai", { azureApiVersion: "v" }, "/openai/deployments/my-gpt/chat/completions?api-version=v"],
    [
      "/openai/deployments/other/chat/completions?api-version=w",
      {},
      "/openai/deployments/other/chat/completions?api-version=w",
    ],
    ["", { azureApiVersion: "v", wireApi: "responses" as const }, "/openai/responses?api-version=v"],
    ["/openai/v1/", { wireApi: "responses" as const }, "/openai/v1/responses"],
  ])("at %s with %o posts to %s", async (path, settings, expected) => {
    expect((await callAzure(path, settings)).url).toBe(expected);
  });
});
