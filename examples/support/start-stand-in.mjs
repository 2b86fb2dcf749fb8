import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Starts an HTTP server on a free port that stands in for a model provider, and for GitHub's API where
 * a check needs it. It speaks OpenAI's Chat Completions (streamed) and Anthropic's Messages (streamed),
 * and lists one model at `/models`.
 *
 * @param {{
 *   answer: (request: StandInRequest) => string | { status: number, body: object },
 *   get?: (request: StandInRequest) => { status: number, body: object } | undefined,
 * }} options `answer`: the model's answer to a conversation, or an error; `get`: answers to GET requests, before the list of models
 * @typedef {{ method: string, path: string, headers: import("node:http").IncomingHttpHeaders, body: any }} StandInRequest
 */
export async function startStandIn({ answer, get }) {
  /** @type {StandInRequest[]} */
  const requests = [];
  const server = createServer(async (incoming, response) => {
    const request = {
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
      body: await readJson(incoming),
    };
    requests.push(request);
    if (request.method === "GET") {
      const found = get?.(request) ?? { status: 200, body: { data: [{ id: "stand-in", name: "Stand-in" }] } };
      return sendJson(response, found);
    }
    const said = answer(request);
    if (typeof said !== "string") return sendJson(response, said);
    const isMessages = new URL(request.path, "http://localhost").pathname.endsWith("/messages");
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of (isMessages ? toMessages : toChatChunks)(said, request.body.model))
      response.write(event);
    response.end();
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  return {
    url: `http://localhost:${server.address().port}`,
    /** Everything that was asked, oldest first. */
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readJson(incoming) {
  let text = "";
  for await (const part of incoming.setEncoding("utf8")) text += part;
  return text === "" ? undefined : JSON.parse(text);
}

function sendJson(response, { status, body }) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** One piece a word. */
const toPieces = (text) => text.match(/\S+\s*/g) ?? [];

function* toChatChunks(text, model) {
  const chunk = (delta, finish_reason = null) =>
    `data: ${JSON.stringify({ id: "c1", object: "chat.completion.chunk", created: 1, model, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  for (const content of toPieces(text)) yield chunk({ role: "assistant", content });
  yield chunk({}, "stop");
  yield "data: [DONE]\n\n";
}

function* toMessages(text, model) {
  const event = (type, fields) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const usage = { input_tokens: 1, output_tokens: 1 };
  yield event("message_start", {
    message: { id: "m1", type: "message", role: "assistant", model, content: [], stop_reason: null, usage },
  });
  yield event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  for (const piece of toPieces(text))
    yield event("content_block_delta", { index: 0, delta: { type: "text_delta", text: piece } });
  yield event("content_block_stop", { index: 0 });
  yield event("message_delta", {
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 1 },
  });
  yield event("message_stop", {});
}
