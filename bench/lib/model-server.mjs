/**
 * An instant model provider: Chat Completions, streaming and not. It finds what to answer by a search
 * in the request's text instead of parsing it, and writes an answer in one piece, so that it costs
 * next to nothing beside the runtime that is measured. The prompts it knows are in `prompts.mjs`.
 *
 * Prints its port. Ends with its parent.
 */
import http from "node:http";

const headers = { "content-type": "text/event-stream" };
const frame = (value) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta, finish = null) =>
  frame({
    id: "bench",
    object: "chat.completion.chunk",
    created: 1,
    model: "bench",
    choices: [{ index: 0, delta, finish_reason: finish }],
  });

const streamedWords = new Map();

/** The frames of `count` words, one delta each; built once. */
function wordsFrames(count) {
  let frames = streamedWords.get(count);
  if (frames === undefined) {
    frames = Array.from({ length: count }, (_, i) => chunk({ content: `w${i} ` })).join("");
    streamedWords.set(count, frames);
  }
  return frames;
}

/** What the last prompt of ours in a request asks for. */
function plan(body) {
  const start = body.lastIndexOf("bench:");
  const [, verb, rest] = /^bench:(\w+) ([^;]*);/.exec(body.slice(start, start + 4096)) ?? [];
  if (verb === "words") return { words: Number(rest) };
  if (verb === "tool") {
    const [name, times] = rest.split(" ");
    const answered = body.slice(start).match(/"role":\s*"tool"/g)?.length ?? 0;
    return answered < Number(times) ? { tool: name, number: answered } : { text: "done" };
  }
  return { text: rest ?? "ok" };
}

function toolCall({ tool, number }, id) {
  return { id, type: "function", function: { name: tool, arguments: JSON.stringify({ number }) } };
}

function streamed(answer, usage, id) {
  let frames;
  if (answer.tool) frames = chunk({ role: "assistant", tool_calls: [{ index: 0, ...toolCall(answer, id) }] });
  else if (answer.words) frames = wordsFrames(answer.words);
  else frames = chunk({ role: "assistant", content: answer.text });
  const end = chunk({}, answer.tool ? "tool_calls" : "stop");
  const counted = frame({ id: "bench", object: "chat.completion.chunk", created: 1, choices: [], usage });
  return `${frames}${end}${counted}data: [DONE]\n\n`;
}

function whole(answer, usage, id) {
  const words = answer.words && Array.from({ length: answer.words }, (_, i) => `w${i} `).join("");
  const message = answer.tool
    ? { role: "assistant", content: null, tool_calls: [toolCall(answer, id)] }
    : { role: "assistant", content: words ?? answer.text };
  const choice = { index: 0, finish_reason: answer.tool ? "tool_calls" : "stop", message };
  return JSON.stringify({
    id: "bench",
    object: "chat.completion",
    created: 1,
    model: "bench",
    choices: [choice],
    usage,
  });
}

let calls = 0;
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    if (request.method === "GET") {
      response.end(JSON.stringify({ object: "list", data: [{ id: "bench", object: "model" }] }));
      return;
    }
    const body = Buffer.concat(pieces).toString("latin1");
    const answer = plan(body);
    const id = `call_${calls++}`;
    const prompt = Math.ceil(body.length / 4);
    const completion = answer.words ?? 1;
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
    };
    if (/"stream":\s*true/.test(body)) response.writeHead(200, headers).end(streamed(answer, usage, id));
    else response.writeHead(200, { "content-type": "application/json" }).end(whole(answer, usage, id));
  });
});
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
