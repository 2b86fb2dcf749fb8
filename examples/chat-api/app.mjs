import express from "express";
import { createConversations } from "./conversations.mjs";

const HEALTH_DEADLINE_MS = 2_000;

/** The API over a runtime. */
export function createApp(runtime, options) {
  const conversations = createConversations(runtime, options);
  const app = express();
  app.disable("x-powered-by");
  app.use(express.json({ limit: "256kb" }));

  app.post("/api/chat", async (request, response) => {
    const { sessionId, message } = parseChatRequest(request.body);
    const answer = await conversations.ask({ sessionId, message });
    response.json({ sessionId, answer });
  });

  app.post("/api/chat/stream", async (request, response) => {
    const { sessionId, message } = parseChatRequest(request.body);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    response.set({ "content-type": "text/event-stream", "cache-control": "no-cache" }).flushHeaders();
    const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    try {
      const onDelta = (text) => send("delta", { text });
      const answer = await conversations.ask({ sessionId, message, onDelta, signal: gone.signal });
      send("done", { sessionId, answer });
    } catch (error) {
      // The status line is sent already: the error travels as an event.
      if (!gone.signal.aborted) send("error", toProblem(error).body);
    }
    response.end();
  });

  app.get("/health", async (_request, response) => {
    try {
      const { version } = await withDeadline(HEALTH_DEADLINE_MS, async () =>
        (await runtime.connect()).getStatus(),
      );
      response.json({ status: "ok", runtime: version });
    } catch (error) {
      response.status(503).json({ status: "unavailable", reason: error.message });
    }
  });

  app.use((_request, response) => response.status(404).json({ error: { message: "no such address" } }));

  app.use((error, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, body } = toProblem(error);
    response.status(status).json(body);
  });
  return app;
}

class BadRequest extends Error {
  status = 400;
}

/**
 * The user id comes from the body here to keep the example short; take it from your own
 * authentication, or any caller can read any chat. It has no hyphen, so that no two pairs make one id.
 */
function parseChatRequest(body) {
  const { userId, chatId, message } = body ?? {};
  if (!/^[A-Za-z0-9_]{1,64}$/.test(userId))
    throw new BadRequest("userId: expected letters, digits and _, 64 at most");
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(chatId))
    throw new BadRequest("chatId: expected letters, digits, _ and -, 64 at most");
  if (typeof message !== "string" || message.trim() === "") throw new BadRequest("message: expected a text");
  return { sessionId: `${userId}-${chatId}`, message };
}

/** What went wrong as status and body: the caller's fault, no runtime, no answer in time, a failed turn. */
function toProblem(error) {
  const isUnreachable =
    /^Failed to connect to CLI server|^Connection is (closed|disposed)|^Pending response rejected/.test(
      error.message,
    );
  const isLate = /^Timeout after/.test(error.message);
  const status = error.status ?? (isUnreachable ? 503 : isLate ? 504 : 502);
  const message = isUnreachable ? "the agent runtime cannot be reached; try again" : error.message;
  return { status, body: { error: { message } } };
}

async function withDeadline(deadlineMs, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer from the runtime within ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
