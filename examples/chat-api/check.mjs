import { fileURLToPath } from "node:url";
import { runStory } from "../support/run-story.mjs";
import { startProcess } from "../support/start-process.mjs";
import { startServer } from "../support/start-server.mjs";

const SCRIPT = fileURLToPath(new URL("server.mjs", import.meta.url));

await runStory("chat-api", async ({ step, say, verify, defer, tempDir }) => {
  const home = await tempDir();
  const env = { COPILOT_CONNECTION_TOKEN: "a shared secret" };

  step("Start the runtime with a connection token, and the API beside it");
  const runtime = await startServer({ home, env });
  defer(runtime.stop);
  const api = await startProcess({
    script: SCRIPT,
    env: { ...env, PORT: "0", CLI_URL: runtime.address },
    ready: /listens on port (\d+)/,
  });
  defer(() => api.end("SIGKILL"));
  const base = `http://localhost:${api.match[1]}`;
  const post = async (path, body) => {
    const response = await fetch(base + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  const chat = async (userId, message) => {
    const { status, text } = await post("/api/chat", { userId, chatId: "c1", message });
    say(`POST /api/chat ${userId}: ${message} -> ${status} ${text}`);
    return { status, ...JSON.parse(text) };
  };
  const health = async () => {
    const response = await fetch(`${base}/health`);
    const body = await response.json();
    say(`GET /health -> ${response.status} ${JSON.stringify(body)}`);
    return response.status;
  };

  step("Two users talk");
  verify((await health()) === 200, "the API is healthy");
  const [ada, bob] = await Promise.all([chat("ada", "My name is Ada."), chat("bob", "My name is Bob.")]);
  verify(ada.sessionId === "ada-c1" && bob.sessionId === "bob-c1", "each chat has a session of its own");
  verify(
    (await chat("ada", "What is my name?")).answer === "Your name is Ada.",
    "Ada's chat goes on where it was",
  );
  const both = await Promise.all([chat("ada", "echo one"), chat("ada", "echo two")]);
  verify(
    both[0].answer === "one" && both[1].answer === "two",
    "two messages at once in a chat get each its own answer",
  );

  step("An answer as server-sent events");
  const stream = await post("/api/chat/stream", {
    userId: "ada",
    chatId: "c1",
    message: "echo one two three",
  });
  const events = stream.text.trim().split("\n\n");
  for (const event of events) say(event.replace("\n", " | "));
  const deltas = events.filter((event) => event.startsWith("event: delta"));
  const text = deltas.map((event) => JSON.parse(event.split("data: ")[1]).text).join("");
  verify(deltas.length > 1 && text === "one two three", "the pieces make the answer");
  verify(events.at(-1).startsWith("event: done"), "the last event says that it is complete");

  step("What callers get wrong");
  verify(
    (await post("/api/chat", { userId: "a-b", chatId: "c", message: "hi" })).status === 400,
    "a user id with a hyphen is refused",
  );
  verify(
    (await post("/api/chat", { userId: "ada", chatId: "c1" })).status === 400,
    "so is a request without a message",
  );
  verify((await fetch(`${base}/nowhere`)).status === 404, "and an unknown address");

  step("The runtime goes away and comes back");
  await runtime.stop();
  verify((await health()) === 503, "the API says that it is not healthy");
  verify((await chat("ada", "What is my name?")).status === 503, "a chat is told to try again");
  const second = await startServer({ home, env, port: runtime.port });
  defer(second.stop);
  verify((await health()) === 200, "the API has connected again by itself");
  verify(
    (await chat("bob", "What is my name?")).answer === "Your name is Bob.",
    "and Bob's chat is still there",
  );

  step("SIGTERM while a request is under way");
  const last = chat("ada", "echo goodbye");
  await new Promise((resolve) => setTimeout(resolve, 5));
  const ended = api.end("SIGTERM");
  verify((await last).answer === "goodbye", "the request is answered");
  verify((await ended).code === 0, "then the API ends with 0");
});
