import { expect, test } from "vitest";
import { providerProblem, splitAddress, tidyProvider } from "./provider-address.ts";

const HOST = "https://api.example.com";

test("what is around an address, secrets and headers is left out", () => {
  expect(
    tidyProvider({
      type: "azure",
      baseUrl: ` ${HOST}\n`,
      apiKey: "key\r\n",
      bearerToken: "\ttoken ",
      headers: { " X-Team ": " a b \n" },
      azure: { apiVersion: "2024-10-21\n" },
    }),
  ).toEqual({
    type: "azure",
    baseUrl: HOST,
    apiKey: "key",
    bearerToken: "token",
    headers: { "X-Team": "a b" },
    azure: { apiVersion: "2024-10-21" },
  });
});

test.each([
  ["/v1/chat/completions", {}, "/v1", "openai", "completions"],
  ["/v1/chat/completions/?a=b", {}, "/v1?a=b", "openai", "completions"],
  ["/v1/responses", {}, "/v1", "openai", "responses"],
  ["/v1/messages", {}, "/v1", "anthropic", undefined],
  ["/v1/messages", { type: "anthropic" }, "/v1", "anthropic", undefined],
  ["/v1/responses", { type: "openai", wireApi: "responses" }, "/v1", "openai", "responses"],
] as const)("the path of a request, %s, is taken for what it says", (path, given, rest, type, wireApi) => {
  const tidy = tidyProvider({ ...given, baseUrl: HOST + path });
  expect(tidy).toEqual({ baseUrl: HOST + rest, type, ...(wireApi ? { wireApi } : {}) });
  expect(providerProblem(tidy)).toBeUndefined();
});

test.each([
  [{ baseUrl: "api.example.com/v1" }, "baseUrl"],
  [{ baseUrl: "localhost:11434/v1" }, "baseUrl"],
  [{ baseUrl: "ftp://example.com" }, "baseUrl"],
  [{ baseUrl: "" }, "baseUrl"],
  [{ baseUrl: `${HOST}/v1/messages`, type: "openai" }, "baseUrl"],
  [{ baseUrl: `${HOST}/v1/responses`, wireApi: "completions" }, "baseUrl"],
  [{ baseUrl: `${HOST}/v1`, apiKey: "two\nlines" }, "apiKey"],
  [{ baseUrl: `${HOST}/v1`, bearerToken: "ключ" }, "bearerToken"],
  [{ baseUrl: `${HOST}/v1`, headers: { "X-Team": "a\nb" } }, "headers"],
  [{ baseUrl: `${HOST}/v1`, headers: { "X Team": "a" } }, "headers"],
] as const)("%j cannot be meant, which is said by its field", (given, field) => {
  const problem = providerProblem(tidyProvider(given));
  expect(problem?.field).toBe(field);
  expect(problem?.message).not.toMatch(/two|lines|ключ/);
});

test("a query is one of every request", () => {
  expect(splitAddress(`${HOST}/v1?api-version=1&key=a%20b#part`)).toEqual({
    baseUrl: `${HOST}/v1`,
    query: { "api-version": "1", key: "a b" },
  });
  expect(splitAddress(`${HOST}/v1?`)).toEqual({ baseUrl: `${HOST}/v1` });
});
