import { describe, expect, it } from "vitest";
import { startScriptedModelServer } from "./scripted-model-server.ts";

const PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"];

async function post(url: string, body: object): Promise<string> {
  return (await fetch(url, { method: "POST", body: JSON.stringify(body) })).text();
}

describe.each(PATHS)("the prompt language at %s", (path) => {
  const ask = async (content: string, more: object[] = []) => {
    await using server = await startScriptedModelServer();
    const conversation = [{ role: "user", content }, ...more];
    return await post(
      server.url + path,
      path.endsWith("responses") ? { input: conversation } : { messages: conversation },
    );
  };

  it("echoes", async () => {
    expect(await ask("echo Grüße 🗼")).toContain("Grüße 🗼");
  });

  it("says as many words as it is told", async () => {
    expect(await ask("words 3")).toContain("w0 w1 w2 ");
  });

  it("asks for a tool as often as it is told, then is done", async () => {
    const result = path.endsWith("responses")
      ? { type: "function_call_output", output: "r" }
      : { role: "tool", content: "r" };
    expect(await ask("tool roll 2")).toContain("roll");
    expect(await ask("tool roll 2", [result])).toContain("roll");
    expect(await ask("tool roll 2", [result, result])).toContain("done");
  });
});

describe("the scripted model server", () => {
  it("answers by its list, then by the prompt language", async () => {
    await using server = await startScriptedModelServer({ script: [{ text: "first" }] });
    const url = `${server.url}/chat/completions`;
    expect(await post(url, { messages: [] })).toContain("first");
    expect(await post(url, { messages: [{ role: "user", content: "echo second" }] })).toContain("second");
    server.use([{ text: "third" }]);
    expect(await post(url, { messages: [] })).toContain("third");
    expect(server.requests.map(({ method }) => method)).toEqual(["POST", "POST", "POST"]);
  });

  it("answers by its function, with the request and its number", async () => {
    await using server = await startScriptedModelServer({
      script: ({ body }, index) => ({ text: `${String(body["model"])} ${index}` }),
    });
    expect(await post(`${server.url}/chat/completions`, { model: "m" })).toContain("m 0");
    expect(await post(`${server.url}/chat/completions`, { model: "m" })).toContain("m 1");
  });

  it("shows a script's own failure", async () => {
    await using server = await startScriptedModelServer({
      script: () => {
        throw new Error("typo in the test");
      },
    });
    expect(await post(`${server.url}/chat/completions`, {})).toContain("typo in the test");
  });

  it("lists its models", async () => {
    await using server = await startScriptedModelServer({ models: [{ id: "a" }] });
    expect(await (await fetch(`${server.url}/models`)).json()).toEqual({
      object: "list",
      data: [{ id: "a" }],
    });
  });

  it("knows who closed a stream early", async () => {
    await using server = await startScriptedModelServer({
      script: [
        { words: ["a", "b"], dropAfter: 1 },
        { words: ["a"], hang: true },
      ],
    });
    const url = `${server.url}/chat/completions`;
    await expect(post(url, { stream: true })).rejects.toThrow();
    expect(server.closedEarly).toBe(0);
    const response = await fetch(url, { method: "POST", body: '{"stream":true}' });
    await response.body?.cancel();
    await server.until(({ closedEarly }) => closedEarly === 1);
  });

  it("leaves no socket open when it closes", async () => {
    const server = await startScriptedModelServer({ script: [{ hang: true }] });
    const hanging = fetch(`${server.url}/chat/completions`, { method: "POST", body: "{}" });
    const outcome = expect(hanging).rejects.toThrow();
    await server.until(({ requests }) => requests.length === 1);
    await server.close();
    await outcome;
    expect(server.openSockets).toBe(0);
    await server.close();
  });
});
