import { describe, expect, test } from "vitest";
import { type ClientInference, createClientInference } from "./client-fetch.ts";
import { callResponsesOverSocket, createResponsesSocketFetch } from "./client-websocket.ts";

const URL_OF_RESPONSES = "https://model.invalid/v1/responses";

type Params = Record<string, unknown> & { requestId: string; data?: string };

/** A client whose WebSocket upstream answers each message with `reply`; undefined refuses the upgrade. */
function createSocketClient(reply: ((message: Record<string, unknown>) => readonly unknown[]) | undefined) {
  const asked: { method: string; params: Params }[] = [];
  const inference: ClientInference = createClientInference({
    async request(method, raw) {
      const params = JSON.parse(JSON.stringify(raw)) as Params;
      asked.push({ method: method.replace("llmInference.", ""), params });
      const { requestId, data } = params;
      queueMicrotask(() => {
        if (method === "llmInference.httpRequestStart") {
          inference.responseStart({ requestId, status: reply === undefined ? 502 : 101 });
          if (reply === undefined)
            void inference.responseChunk({ requestId, data: "", end: true, error: { message: "refused" } });
        } else if (data) {
          for (const event of reply?.(JSON.parse(data)) ?? []) {
            void inference.responseChunk(
              event === undefined
                ? { requestId, data: "", end: true }
                : { requestId, data: JSON.stringify(event), binary: false },
            );
          }
        }
      });
      return {};
    },
  });
  return { asked, inference };
}

const answer = [
  { type: "response.created", response: { id: "r1" } },
  { type: "response.output_text.delta", delta: "grün" },
  { type: "response.completed", response: { id: "r1", status: "completed" } },
];

function toRequest(body: Record<string, unknown>) {
  return {
    url: URL_OF_RESPONSES,
    headers: new Headers({ authorization: "Bearer t", "content-type": "application/json" }),
    body,
  };
}

async function collect(inference: ClientInference, signal = new AbortController().signal) {
  const events: unknown[] = [];
  const request = toRequest({ model: "m", input: [], stream: true });
  for await (const event of callResponsesOverSocket(inference, { sessionId: "s1" }, request, signal))
    events.push(event);
  return events;
}

describe("callResponsesOverSocket", () => {
  test("one request is an upgrade, one response.create message and an end; the events come back", async () => {
    const { asked, inference } = createSocketClient(() => answer);
    expect(await collect(inference)).toEqual(answer);
    const requestId = asked[0]?.params.requestId;
    expect(asked).toEqual([
      {
        method: "httpRequestStart",
        params: {
          requestId,
          sessionId: "s1",
          method: "GET",
          url: "wss://model.invalid/v1/responses",
          headers: { authorization: ["Bearer t"] },
          transport: "websocket",
        },
      },
      {
        method: "httpRequestChunk",
        params: { requestId, data: JSON.stringify({ type: "response.create", model: "m", input: [] }) },
      },
      { method: "httpRequestChunk", params: { requestId, data: "", end: true } },
    ]);
  });

  test("a refused upgrade fails with the client's message", async () => {
    await expect(collect(createSocketClient(undefined).inference)).rejects.toThrow(
      "the client's request handler failed: refused",
    );
  });

  test("a connection that closes before the terminal event is an error", async () => {
    await expect(collect(createSocketClient(() => [answer[0], undefined]).inference)).rejects.toThrow(
      "closed before the answer was complete",
    );
  });

  test("an abort cancels the exchange and throws the signal's reason", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const { asked, inference } = createSocketClient(() => {
      queueMicrotask(() => stop.abort(reason));
      return [answer[0]];
    });
    await expect(collect(inference, stop.signal)).rejects.toBe(reason);
    expect(asked.at(-1)?.params).toMatchObject({ cancel: true, cancelReason: "enough" });
  });

  test("a consumer that stops early cancels the exchange", async () => {
    const { asked, inference } = createSocketClient(() => answer);
    for await (const _ of callResponsesOverSocket(inference, {}, toRequest({}), new AbortController().signal))
      break;
    expect(asked.at(-1)?.params).toMatchObject({ cancel: true });
  });
});

describe("createResponsesSocketFetch", () => {
  const post = (body: Record<string, unknown>): RequestInit => ({
    method: "POST",
    body: JSON.stringify(body),
  });

  test("a streamed request comes back as server-sent events", async () => {
    const { inference } = createSocketClient(() => answer);
    const response = await createResponsesSocketFetch(inference)({})(
      URL_OF_RESPONSES,
      post({ stream: true }),
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe(answer.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
  });

  test("an error as the first event is a response with its status", async () => {
    const event = {
      type: "error",
      status: 429,
      error: { code: "rate_limit_exceeded", message: "slow down" },
    };
    const { inference } = createSocketClient(() => [event]);
    const response = await createResponsesSocketFetch(inference)({})(
      URL_OF_RESPONSES,
      post({ stream: true }),
    );
    expect([response.status, await response.json()]).toEqual([429, event]);
  });

  test("a body that is cancelled while it waits cancels the exchange", async () => {
    const { asked, inference } = createSocketClient(() => [answer[0]]);
    const response = await createResponsesSocketFetch(inference)({})(
      URL_OF_RESPONSES,
      post({ stream: true }),
    );
    const reader = response.body?.getReader();
    await reader?.read();
    const waiting = reader?.read();
    await reader?.cancel();
    await waiting;
    expect(asked.at(-1)?.params).toMatchObject({ cancel: true });
  });

  test("a request that asks for no stream is answered whole", async () => {
    const { inference } = createSocketClient(() => answer);
    const response = await createResponsesSocketFetch(inference)({})(URL_OF_RESPONSES, post({ model: "m" }));
    expect(await response.json()).toEqual({ id: "r1", status: "completed" });
  });

  test("a client that can open no WebSocket is asked over HTTP", async () => {
    const { asked, inference } = createSocketClient(undefined);
    await expect(
      createResponsesSocketFetch(inference)({})(URL_OF_RESPONSES, post({ stream: true })),
    ).rejects.toThrow("refused");
    const starts = asked.filter(({ method }) => method === "httpRequestStart");
    expect(starts.map(({ params }) => params.transport)).toEqual(["websocket", "http"]);
  });
});
