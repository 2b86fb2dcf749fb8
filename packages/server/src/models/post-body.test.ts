import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { OpenAI } from "openai";
import { expect, test } from "vitest";
import { createHttpFetch } from "./http-fetch.ts";
import { keepEnvelopes, postBody } from "./post-body.ts";

interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function startServer() {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    seen.push({ url: request.url, headers: request.headers, body });
    response.setHeader("content-type", "application/json").end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    baseURL: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const settings = {
  apiKey: "none",
  maxRetries: 0,
  defaultQuery: { "api-version": "1" },
  defaultHeaders: { Authorization: "Bearer secret", "X-Extra": " of the application ", Connection: "close" },
};

test("calls of a kept client send what the library would, each with its own body", async () => {
  await using server = await startServer();
  const fetch = createHttpFetch();
  const make = () => new OpenAI({ ...settings, baseURL: server.baseURL, fetch });
  const kept = keepEnvelopes(make(), fetch);
  const { signal } = new AbortController();
  for (const client of [make(), kept, kept]) {
    const body = Buffer.from(JSON.stringify({ number: server.seen.length }));
    const response = await postBody(client, "/chat/completions", body, signal);
    expect(await response.json()).toEqual({});
  }
  const [library, first, second] = server.seen;
  expect(library?.headers).toMatchObject({ authorization: "Bearer secret", "x-extra": "of the application" });
  expect(library?.url).toBe("/v1/chat/completions?api-version=1");
  expect(first).toEqual({ ...library, body: '{"number":1}' });
  expect(second).toEqual({ ...library, body: '{"number":2}' });
});

test("a call of a kept client ends when its signal does, and the next one goes out", async () => {
  await using server = await startServer();
  const fetch = createHttpFetch();
  const kept = keepEnvelopes(new OpenAI({ ...settings, baseURL: server.baseURL, fetch }), fetch);
  const aborted = AbortSignal.abort(new Error("no longer wanted"));
  await expect(postBody(kept, "/responses", "{}", aborted)).rejects.toThrow("no longer wanted");
  const response = await postBody(kept, "/responses", "{}", new AbortController().signal);
  expect(await response.json()).toEqual({});
});
