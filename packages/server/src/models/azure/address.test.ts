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
    [`${ROOT}/openai/deployments/100%`, { root: ROOT, deployment: "100%" }],
    [`${ROOT}/openai/v2/openai/v1/chat`, { root: `${ROOT}/openai/v2` }],
    ["https://gateway.example.com/azure", { root: "https://gateway.example.com/azure" }],
    ["https://gateway.example.com/openai-proxy/openai", { root: "https://gateway.example.com/openai-proxy" }],
  ])("reads %s", (baseUrl, expected) => {
    expect(parseAzureAddress(baseUrl)).toEqual(expected);
  });

  it("takes time that grows no faster than the text", () => {
    const long = ROOT + "/openai/".repeat(500_000);
    expect(parseAzureAddress(long)).toEqual({ root: ROOT + "/openai/".repeat(499_999).slice(0, -1) });
  });
});
