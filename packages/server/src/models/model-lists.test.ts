import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOpenAIClient } from "./openai-client.ts";
import { getJson } from "./openai-models.ts";

let server: Server;
let baseUrl: string;
beforeAll(async () => {
  server = createServer((request, response) => answers[request.url?.split("/")[1] ?? ""]?.(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const answers: Record<string, (response: ServerResponse) => void> = {
  silent: () => undefined,
  // Never silent for long, and never done.
  trickle: (response) => {
    const timer = setInterval(() => response.write(" "), 5);
    response.on("close", () => clearInterval(timer));
  },
};

describe("a provider that does not list its models", () => {
  test.each(["silent", "trickle"])("is waited for so long and no longer: %s", async (how) => {
    const settings = { baseUrl: `${baseUrl}/${how}`, credential: async () => undefined };
    const listed = getJson(
      "openai",
      settings.baseUrl,
      { listTimeoutMs: 100 },
      new AbortController().signal,
      async (call, signal) => (await createOpenAIClient(settings, call)).models.list({ signal }).asResponse(),
    );
    await expect(listed).rejects.toMatchObject({
      kind: "timeout",
      message: "openai did not list its models within 0.1 s",
    });
  });
});
