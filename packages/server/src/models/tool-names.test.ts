import { collect, startScriptedModelServer } from "@rightseat/testing";
import { expect, it } from "vitest";
import { createProvider } from "./create-provider.ts";
import { toToolName } from "./tool-names.ts";

it("a call of a tool with a long name comes back under its own", async () => {
  const name = "t".repeat(90);
  const server = await startScriptedModelServer({
    script: [{ toolCalls: [{ id: "a", name: toToolName(name), arguments: {} }] }],
  });
  const provider = createProvider({ type: "openai", baseUrl: `${server.url}/v1` });
  const events = await collect(
    provider.generate(
      {
        model: "m",
        system: "",
        messages: [{ role: "user", content: "Hello" }],
        tools: [{ name, description: "d", parameters: {} }],
        stream: true,
      },
      new AbortController().signal,
    ),
  );
  await server.close();
  expect(events.at(-1)).toMatchObject({ answer: { toolCalls: [{ id: "a", name }] } });
  expect(events.find(({ type }) => type === "tool-call")).toMatchObject({ name });
});

it("names that differ stay apart", () => {
  const names = ["my tool", "my_tool", "my-tool", "my  tool", `${"x".repeat(90)}1`, `${"x".repeat(90)}2`];
  expect(new Set(names.map(toToolName)).size).toBe(names.length);
});
