import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientResponseChunk } from "./client-exchange.ts";
import { type ClientInference, createClientInference } from "./client-fetch.ts";

/** What the runtime asked of the client, in order. */
interface Asked {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A client that records what it is asked and answers nothing by itself. */
function createSilentClient() {
  const asked: Asked[] = [];
  let wake = () => {};
  const inference = createClientInference({
    request: async (method, params) => {
      asked.push({ method: method.replace("llmInference.", ""), params: params as Record<string, unknown> });
      wake();
      return {};
    },
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { asked, inference, until, requestId: () => asked[0]?.params.requestId as string };
}

interface ForwardedParams {
  readonly requestId: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string[]>;
  readonly data: string;
  readonly binary?: boolean;
  readonly end?: boolean;
  readonly cancel?: boolean;
}

/** A client that sends each request on to where its URL points, the way the official SDK's does. */
function createForwardingClient() {
  const bodies = new Map<
    string,
    { url: string; init: RequestInit; parts: Buffer[]; stop: AbortController }
  >();
  const inference: ClientInference = createClientInference({
    async request(method, raw) {
      // Through JSON, as on the wire.
      const params = JSON.parse(JSON.stringify(raw)) as ForwardedParams;
      if (method === "llmInference.httpRequestStart") {
        const headers = new Headers();
        for (const [name, values] of Object.entries(params.headers))
          for (const value of values) headers.append(name, value);
        const stop = new AbortController();
        bodies.set(params.requestId, {
          url: params.url,
          init: { method: params.method, headers, signal: stop.signal },
          parts: [],
          stop,
        });
        return {};
      }
      const entry = bodies.get(params.requestId);
      if (entry === undefined) throw new Error("chunk for an unknown request");
      if (params.cancel) entry.stop.abort();
      entry.parts.push(Buffer.from(params.data, params.binary ? "base64" : "utf8"));
      if (params.end) void forward(params.requestId, entry);
      return {};
    },
  });
  async function forward(requestId: string, entry: { url: string; init: RequestInit; parts: Buffer[] }) {
    const body = Buffer.concat(entry.parts);
    try {
      const response = await fetch(entry.url, { ...entry.init, body: body.length > 0 ? body : undefined });
      const headers: Record<string, string[]> = {};
      for (const [name, value] of response.headers) (headers[name] ??= []).push(value);
      inference.responseStart({
        requestId,
        status: response.status,
        statusText: response.statusText,
        headers,
      });
      for await (const piece of response.body ?? []) {
        await inference.responseChunk({
          requestId,
          data: Buffer.from(piece).toString("base64"),
          binary: true,
          end: false,
        });
      }
      await inference.responseChunk({ requestId, data: "", end: true });
    } catch (error) {
      inference.responseStart({ requestId, status: 502, headers: {} });
      await inference.responseChunk({
        requestId,
        data: "",
        end: true,
        error: { message: (error as Error).message },
      });
    }
  }
  return { inference };
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(handler: Parameters<typeof createServer>[1] & object): Promise<string> {
  const server = createServer(handler as never);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

describe("requests", () => {
  test("a request is a start with the context, then its body, marked as the end", async () => {
    const { asked, inference, until, requestId } = createSilentClient();
    const answer = inference.fetch({ sessionId: "s1", agentId: "a1", interactionType: "conversation-agent" })(
      "https://model.invalid/v1/chat/completions",
      {
        method: "POST",
        headers: { "content-type": "application/json", Authorization: "Bearer t" },
        body: '{"n":"é"}',
      },
    );
    await until(() => asked.length === 2);
    expect(JSON.parse(JSON.stringify(asked))).toEqual([
      {
        method: "httpRequestStart",
        params: {
          requestId: requestId(),
          sessionId: "s1",
          agentId: "a1",
          interactionType: "conversation-agent",
          method: "POST",
          url: "https://model.invalid/v1/chat/completions",
          headers: { authorization: ["Bearer t"], "content-type": ["application/json"] },
          transport: "http",
        },
      },
      { method: "httpRequestChunk", params: { requestId: requestId(), data: '{"n":"é"}', end: true } },
    ]);
    inference.responseStart({ requestId: requestId(), status: 200, headers: {} });
    await inference.responseChunk({ requestId: requestId(), data: "ok", end: true });
    expect(await (await answer).text()).toBe("ok");
  });

  test("a request without a body ends with one empty chunk", async () => {
    const { asked, inference, until, requestId } = createSilentClient();
    const answer = inference.fetch({})("https://model.invalid/models");
    await until(() => asked.length === 2);
    expect(asked[1]).toEqual({
      method: "httpRequestChunk",
      params: { requestId: requestId(), data: "", end: true },
    });
    inference.responseStart({ requestId: requestId(), status: 204 });
    await inference.responseChunk({ requestId: requestId(), data: "", end: true });
    expect((await answer).status).toBe(204);
  });

  test("long and binary bodies arrive byte for byte at a real server, gzip answers included", async () => {
    const url = await listen(async (request, response) => {
      const body = await readAll(request);
      response.writeHead(200, {
        "x-kind": request.headers["x-kind"] ?? "",
        "set-cookie": ["a=1", "b=2"],
        "content-encoding": "gzip",
      });
      response.end(gzipSync(body));
    });
    const { inference } = createForwardingClient();
    // The cut at 2^20 characters falls inside a pair of surrogates.
    const text = `${"x".repeat(1024 * 1024 - 1)}😀${"é".repeat(1000)}`;
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 256));
    const answers = await Promise.all([
      inference.fetch({})(url, { method: "POST", body: text, headers: { "x-kind": "text" } }),
      inference.fetch({})(new Request(url, { method: "POST", body: bytes })),
    ]);
    expect(answers[0].headers.get("x-kind")).toBe("text");
    expect(answers[0].headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await answers[0].text()).toBe(text);
    expect(Buffer.from(await answers[1].arrayBuffer()).equals(bytes)).toBe(true);
  });

  test("a client that refuses the request fails it with the reason", async () => {
    const inference = createClientInference({ request: () => Promise.reject(new Error("no handler")) });
    await expect(inference.fetch({})("https://model.invalid/")).rejects.toThrow(
      "did not take the request (llmInference.httpRequestStart): no handler",
    );
  });
});

describe("responses", () => {
  async function begin(options: { status?: number; signal?: AbortSignal } = {}) {
    const client = createSilentClient();
    const answer = client.inference.fetch({})("https://model.invalid/", { signal: options.signal });
    answer.catch(() => {});
    await client.until(() => client.asked.length === 2);
    const requestId = client.requestId();
    const chunk = (rest: Omit<ClientResponseChunk, "requestId">) =>
      client.inference.responseChunk({ requestId, ...rest });
    expect(
      client.inference.responseStart({
        requestId,
        status: options.status ?? 200,
        headers: { "content-encoding": ["gzip"], "x-id": ["1"] },
      }),
    ).toEqual({ accepted: true });
    return { ...client, answer, chunk, requestId };
  }

  test("text and binary chunks that cut characters in two join to the same text", async () => {
    const { answer, chunk } = await begin();
    const bytes = Buffer.from("grün 😀");
    await chunk({ data: bytes.subarray(0, 3).toString("base64"), binary: true });
    await chunk({ data: bytes.subarray(3).toString("base64"), binary: true });
    await chunk({ data: " \ud83d" });
    await chunk({ data: "" });
    await chunk({ data: "\ude00!" });
    await chunk({ data: "", end: true });
    const response = await answer;
    expect(await response.text()).toBe("grün 😀 😀!");
    expect([...response.headers]).toEqual([["x-id", "1"]]);
  });

  test("the body streams: a chunk is readable before the next one came", async () => {
    const { answer, chunk } = await begin();
    const reader = (await answer).body?.getReader();
    await chunk({ data: "one" });
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("one");
    await chunk({ data: "two", end: true });
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("two");
    expect((await reader?.read())?.done).toBe(true);
  });

  test("acknowledgements wait while the reader is behind, and come when it reads", async () => {
    const { answer, chunk } = await begin();
    const big = "x".repeat(200_000);
    expect(chunk({ data: big })).toEqual({ accepted: true });
    const held = chunk({ data: big });
    expect(held).toBeInstanceOf(Promise);
    const reader = (await answer).body?.getReader();
    await reader?.read();
    await reader?.read();
    expect(await held).toEqual({ accepted: true });
  });

  test("a client that never waits is cut off before it fills the memory", async () => {
    const { answer, chunk, asked } = await begin();
    const big = "x".repeat(8 * 1024 * 1024);
    const replies = Array.from({ length: 9 }, () => chunk({ data: big }));
    expect(await replies.at(-1)).toEqual({ accepted: false });
    await expect((await answer).text()).rejects.toThrow("ahead of the reader");
    expect(asked.at(-1)?.params).toMatchObject({ cancel: true });
  });

  test("an error before the head, behind a failure's head, and in the stream fails the call with its message", async () => {
    const early = await begin({ status: 502 });
    expect(early.chunk({ data: "", end: true, error: { message: "upstream is down", code: "E1" } })).toEqual({
      accepted: true,
    });
    await expect(early.answer).rejects.toThrow("the client's request handler failed: upstream is down (E1)");
    const late = await begin();
    await late.chunk({ data: "half" });
    await late.chunk({ data: "", end: true, error: { message: "broken pipe" } });
    await expect((await late.answer).text()).rejects.toThrow(
      "the client's request handler failed: broken pipe",
    );
  });

  test("an HTTP error status is a response, not a failure", async () => {
    const { answer, chunk } = await begin({ status: 429 });
    await chunk({ data: '{"error":"slow down"}', end: true });
    expect([(await answer).status, await (await answer).json()]).toEqual([429, { error: "slow down" }]);
  });

  test("unknown and finished ids, and a second head, are not accepted", async () => {
    const { inference, chunk, requestId } = await begin();
    expect(inference.responseStart({ requestId: "nobody", status: 200, headers: {} })).toEqual({
      accepted: false,
    });
    expect(inference.responseChunk({ requestId: "nobody", data: "" })).toEqual({ accepted: false });
    expect(inference.responseStart({ requestId, status: 200, headers: {} })).toEqual({ accepted: false });
    expect(chunk({ data: "", end: true })).toEqual({ accepted: true });
    expect(chunk({ data: "late" })).toEqual({ accepted: false });
  });

  test("a status or header that no response can have fails the call and tells the client", async () => {
    const { inference, requestId, asked, until, answer } = await begin({ status: 101 });
    await expect(answer).rejects.toThrow("the client's response could not be read");
    await until(() => asked.length === 3);
    expect(asked[2]?.params).toMatchObject({ requestId, cancel: true });
    expect(inference.responseChunk({ requestId, data: "" })).toEqual({ accepted: false });
  });
});

describe("endings", () => {
  test("an abort tells the client, rejects with the signal's reason and forgets the request", async () => {
    const client = createSilentClient();
    const stop = new AbortController();
    const answer = client.inference.fetch({})("https://model.invalid/", { signal: stop.signal });
    await client.until(() => client.asked.length === 2);
    const reason = new Error("the user pressed stop");
    stop.abort(reason);
    await expect(answer).rejects.toBe(reason);
    const requestId = client.requestId();
    expect(client.asked[2]).toEqual({
      method: "httpRequestChunk",
      params: { requestId, data: "", cancel: true, cancelReason: "the user pressed stop" },
    });
    expect(client.inference.responseStart({ requestId, status: 499, headers: {} })).toEqual({
      accepted: false,
    });
  });

  test("an abort in the stream stops a real upstream through the client", async () => {
    let closed = () => {};
    const upstreamClosed = new Promise<void>((resolve) => (closed = resolve));
    const url = await listen((_, response) => {
      response.on("close", closed);
      response.write("data: 1\n\n");
    });
    const { inference } = createForwardingClient();
    const stop = new AbortController();
    const response = await inference.fetch({})(url, { signal: stop.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    const next = reader?.read();
    stop.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
    await upstreamClosed;
  });

  test("a reader that cancels the body cancels the request", async () => {
    const client = createSilentClient();
    const answer = client.inference.fetch({})("https://model.invalid/");
    await client.until(() => client.asked.length === 2);
    client.inference.responseStart({ requestId: client.requestId(), status: 200, headers: {} });
    await (await answer).body?.cancel(new Error("not wanted"));
    expect(client.asked[2]?.params).toMatchObject({ cancel: true, cancelReason: "not wanted" });
  });

  test("an aborted signal sends nothing", async () => {
    const client = createSilentClient();
    const reason = new Error("too late");
    await expect(
      client.inference.fetch({})("https://model.invalid/", { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(client.asked).toEqual([]);
  });

  test("close fails what waits, what streams and what comes later", async () => {
    const gone = new Error("the client has gone");
    const client = createSilentClient();
    const waiting = client.inference.fetch({})("https://model.invalid/waiting");
    await client.until(() => client.asked.length === 2);
    const streaming = client.inference.fetch({})("https://model.invalid/streaming");
    await client.until(() => client.asked.length === 4);
    const id = client.asked[2]?.params.requestId as string;
    client.inference.responseStart({ requestId: id, status: 200, headers: {} });
    const response = await streaming;
    const held = client.inference.responseChunk({ requestId: id, data: "x".repeat(300_000) });
    client.inference.close(gone);
    await expect(waiting).rejects.toBe(gone);
    await expect(response.text()).rejects.toBe(gone);
    await expect(client.inference.fetch({})("https://model.invalid/")).rejects.toBe(gone);
    expect(await held).toEqual({ accepted: true });
    expect(client.asked).toHaveLength(4);
  });
});
