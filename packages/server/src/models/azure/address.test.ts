import { describe, expect, it } from "vitest";
import { parseAzureAddress } from "./address.ts";

const ROOT = "https://my.openai.azure.com";

describe("parseAzureAddress", () => {
  it.each([
    [ROOT, { root: ROOT }],
    [`${ROOT}/`, { root: ROOT }],
    [`${ROOT}/openai`, { root: ROOT }],
    [`${ROOT}/openai/`, { root: ROOT }],
    [`${ROOT}/openai/v1`, { root: ROOT }],
    [`${ROOT}/openai/v1/`, { root: ROOT }],
    [`${ROOT}/openai/deployments/my%20gpt`, { root: ROOT, deployment: "my gpt" }],
    [
      `${ROOT}/openai/deployments/gpt/chat/completions?api-version=2024-10-21`,
      { root: ROOT, deployment: "gpt", apiVersion: "2024-10-21" },
    ],
    ["https://gateway.example.com/azure", { root: "https://gateway.example.com/azure" }],
    ["https://gateway.example.com/openai-proxy/openai", { root: "https://gateway.example.com/openai-proxy" }],
  ])("reads %s", (baseUrl, expected) => {
    expect(parseAzureAddress(baseUrl)).toEqual(expected);
  });
});
