/**
 * Writes sessions as the runtime itself stores them (docs/storage.md), so that long ones need not be
 * talked first. There is no checkpoint and no index beside them: the first to open them pays for that.
 */
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const WRITE_BYTES = 8 * 1024 * 1024;
const FIRST_EVENT_AT = Date.UTC(2026, 0, 1);
const FILLER = "The quick brown fox jumps over the lazy dog, and the dog does not mind. ".repeat(1_000);

/**
 * @param {{turns: number, promptBytes?: number, toolResultBytes?: number, compactEvery?: number}} options
 *   with `toolResultBytes`, each prompt is answered after one tool call with a result of that size;
 *   after `compactEvery` prompts, the context begins anew with a summary
 * @returns {{events: number, bytes: number}} what was written
 */
export function generateSession(home, sessionId, options) {
  const directory = join(home, "session-state", sessionId);
  mkdirSync(directory, { recursive: true });
  const file = openSync(join(directory, "events.jsonl"), "w");
  const total = { events: 0, bytes: 0 };
  let waiting = "";
  for (const line of sessionLines(sessionId, options)) {
    waiting += `${line}\n`;
    total.events++;
    if (waiting.length >= WRITE_BYTES) total.bytes += writeOut();
  }
  total.bytes += writeOut();
  closeSync(file);
  return total;

  function writeOut() {
    const written = writeSync(file, waiting);
    waiting = "";
    return written;
  }
}

/** Many sessions of one turn, for listing. */
export function generateManySessions(home, count) {
  for (let i = 0; i < count; i++) {
    const sessionId = `stored-${i}`;
    const directory = join(home, "session-state", sessionId);
    mkdirSync(directory, { recursive: true });
    const lines = Array.from(sessionLines(sessionId, { turns: 1 }));
    writeFileSync(join(directory, "events.jsonl"), `${lines.join("\n")}\n`);
  }
}

function* sessionLines(sessionId, { turns, promptBytes = 300, toolResultBytes, compactEvery }) {
  const line = createLineWriter();
  const startTime = new Date(FIRST_EVENT_AT).toISOString();
  yield line("session.start", {
    sessionId,
    version: 1,
    producer: "rightseat",
    copilotVersion: "0.1.0",
    startTime,
    selectedModel: "bench",
    context: { cwd: "/" },
  });
  for (let turn = 0; turn < turns; turn++) {
    if (compactEvery && turn > 0 && turn % compactEvery === 0) yield compaction(line, turn);
    yield* promptLines(line, turn, promptBytes, toolResultBytes);
  }
}

function* promptLines(line, turn, promptBytes, toolResultBytes) {
  const messageId = randomUUID();
  const content = `say ${turn} ${FILLER.slice(0, promptBytes)}`;
  yield line("user.message", {
    content,
    messageId,
    transformedContent: content,
    delivery: "idle",
    attachments: [],
  });
  if (toolResultBytes) yield* toolLines(line, turn, messageId, toolResultBytes);
  yield* answerLines(line, { messageId, turnId: toolResultBytes ? "1" : "0", content: `answer ${turn}` });
  yield line("rightseat.run_ended", { messageId, outcome: "done" });
}

/** One model call: its turn, what it said, and what was counted. */
function* answerLines(line, { messageId, turnId, content, toolRequests = [] }, between = []) {
  yield line("assistant.turn_start", { turnId, model: "bench" });
  yield line("rightseat.usage", {
    model: "bench",
    usage: {
      inputTokens: 100,
      outputTokens: 10,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      apiDurationMs: 1,
    },
  });
  yield line("assistant.message", {
    messageId: randomUUID(),
    originatingMessageId: messageId,
    model: "bench",
    content,
    turnId,
    toolRequests,
    outputTokens: 10,
  });
  for (const [type, data] of between) yield line(type, data);
  yield line("assistant.turn_end", { turnId, model: "bench" });
}

function* toolLines(line, turn, messageId, resultBytes) {
  const call = { toolCallId: `call_${turn}`, arguments: { number: turn } };
  const toolRequests = [{ ...call, name: "lookup", type: "function" }];
  yield* answerLines(line, { messageId, turnId: "0", content: "", toolRequests }, [
    ["tool.execution_start", { ...call, toolName: "lookup", turnId: "0" }],
    [
      "tool.execution_complete",
      {
        toolCallId: call.toolCallId,
        success: true,
        turnId: "0",
        result: { content: FILLER.slice(0, resultBytes) },
      },
    ],
  ]);
}

function compaction(line, turn) {
  return line("session.compaction_complete", {
    success: true,
    summaryContent: `Summary of ${turn} prompts.`,
    messagesRemoved: turn,
  });
}

/** Lines with ids and times; public ones are chained by their parents. */
function createLineWriter() {
  let parentId = null;
  let at = FIRST_EVENT_AT;
  return (type, data) => {
    const id = randomUUID();
    const timestamp = new Date((at += 10)).toISOString();
    if (type.startsWith("rightseat.")) return JSON.stringify({ type, data, id, timestamp });
    const json = JSON.stringify({ type, data, id, timestamp, parentId });
    parentId = id;
    return json;
  };
}
