import { expect, test } from "vitest";
import { loadConfig } from "./load-config.ts";

test("a newline or blanks around what variables hold count for nothing", () => {
  const invocation = loadConfig([], {
    COPILOT_CONNECTION_TOKEN: "secret\n",
    GH_TOKEN: " gho_1\r\n",
    COPILOT_PROVIDER_BASE_URL: " https://a.example/v1\n",
    COPILOT_PROVIDER_API_KEY: "key\n",
  });
  expect(invocation).toMatchObject({
    config: {
      connectionToken: "secret",
      gitHubToken: "gho_1",
      serverProviders: [{ baseUrl: "https://a.example/v1", apiKey: "key" }],
    },
  });
});
