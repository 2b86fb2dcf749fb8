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

test("without auto-login only a token that is meant for the server is used", () => {
  const ambient = { GH_TOKEN: "gh", GITHUB_TOKEN: "ci" };
  const token = (args: string[], env: Record<string, string>) => {
    const invocation = loadConfig(args, env);
    return "config" in invocation ? invocation.config.gitHubToken : undefined;
  };
  const without = ["--no-auto-login"];
  expect(token([], ambient)).toBe("gh");
  expect(token(without, ambient)).toBeUndefined();
  expect(token(without, { ...ambient, COPILOT_GITHUB_TOKEN: "own" })).toBe("own");
  expect(token(without, { ...ambient, COPILOT_SDK_AUTH_TOKEN: "given" })).toBe("given");
  expect(token([...without, "--auth-token-env", "GH_TOKEN"], ambient)).toBe("gh");
});
