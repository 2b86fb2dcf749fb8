import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { runStory } from "../support/run-story.mjs";
import { startServer } from "../support/start-server.mjs";
import { startStandIn } from "../support/start-stand-in.mjs";
import { PROVIDERS } from "./providers.mjs";

const KEY = "key-of-our-own";

await runStory("byok", async ({ step, say, verify, defer, tempDir }) => {
  step("Start a stand-in for the providers, and a runtime that has no provider of its own");
  const standIn = await startStandIn({ answer: answerAsModel });
  defer(standIn.stop);
  const runtime = await startServer({ home: await tempDir(), demo: false });
  defer(runtime.stop);
  const client = new CopilotClient({ connection: RuntimeConnection.forUri(runtime.address), mode: "empty" });
  defer(() => client.forceStop());

  const ask = async (sessionConfig, prompt) => {
    const session = await client.createSession({
      ...sessionConfig,
      streaming: true,
      availableTools: ["custom:*"],
    });
    let deltas = 0;
    session.on("assistant.message_delta", () => deltas++);
    const answer = await session.sendAndWait({ prompt });
    const { method, path, headers } = standIn.requests.findLast((request) => request.method === "POST");
    say(`${method} ${path} -> ${answer?.data.content} (${deltas} pieces)`);
    return { session, answer: answer?.data.content, deltas, path, headers };
  };

  step("Ollama: no key");
  const ollama = await ask(PROVIDERS.ollama({ OLLAMA_URL: `${standIn.url}/v1` }), "hello");
  verify(ollama.path === "/v1/chat/completions", "Chat Completions are asked for");
  verify(ollama.answer === "llama3.2 heard: hello", "the answer is the model's");
  verify(ollama.deltas > 1, "it came as a stream");

  step("An OpenAI-compatible provider with a key");
  const openai = PROVIDERS.openai({
    OPENAI_BASE_URL: `${standIn.url}/v1`,
    OPENAI_API_KEY: KEY,
    MODEL: "large",
  });
  const asked = await ask(openai, "hello");
  verify(asked.headers.authorization === `Bearer ${KEY}`, "the key travels as a bearer token");

  step("Azure OpenAI");
  const azure = { AZURE_OPENAI_ENDPOINT: standIn.url, AZURE_OPENAI_API_KEY: KEY, MODEL: "our-deployment" };
  const versioned = await ask(PROVIDERS.azure({ ...azure, AZURE_OPENAI_API_VERSION: "2024-10-21" }), "hello");
  verify(
    versioned.path === "/openai/deployments/our-deployment/chat/completions?api-version=2024-10-21",
    "with a version, the address of the deployment is used",
  );
  verify(versioned.headers["api-key"] === KEY, "the key travels in the header api-key");
  const versionless = await ask(PROVIDERS.azure(azure), "hello");
  verify(versionless.path.startsWith("/openai/v1/"), "without a version, the address /openai/v1 is used");

  step("Anthropic");
  const anthropic = await ask(
    PROVIDERS.anthropic({ ANTHROPIC_BASE_URL: standIn.url, ANTHROPIC_API_KEY: KEY }),
    "hello",
  );
  verify(anthropic.path.startsWith("/v1/messages"), "the Messages API is used");
  verify(anthropic.headers["x-api-key"] === KEY, "the key travels in the header x-api-key");
  verify(anthropic.deltas > 1, "the answer came as a stream");

  step("Resume a session: the provider is given again, because keys are never stored");
  await asked.session.disconnect();
  const resumed = await client.resumeSession(asked.session.sessionId, {
    ...openai,
    availableTools: ["custom:*"],
  });
  const later = await resumed.sendAndWait({ prompt: "and again" });
  say(later?.data.content);
  verify(
    later?.data.content === "large heard: hello / and again",
    "the conversation goes on with the same provider",
  );

  step("A wrong key");
  const wrong = PROVIDERS.openai({ OPENAI_BASE_URL: `${standIn.url}/v1`, OPENAI_API_KEY: "wrong-key" });
  const problem = await ask(wrong, "hello").then(
    () => undefined,
    (error) => error,
  );
  say(`error: ${problem?.message}`);
  verify(/401|key|auth/i.test(problem?.message ?? ""), "the turn fails with an error that names the cause");
  verify(!problem.message.includes("wrong-key"), "the error does not give the key away");
});

function answerAsModel({ path, headers, body }) {
  if (headers.authorization === "Bearer wrong-key") {
    return {
      status: 401,
      body: { error: { message: "Incorrect API key provided", code: "invalid_api_key" } },
    };
  }
  // The runtime puts the time before a prompt, on lines of their own.
  const prompts = body.messages
    .filter(({ role }) => role === "user")
    .map(({ content }) => toText(content).split("\n").at(-1));
  // On Azure's address with a version the model is named by the path.
  const model = /deployments\/([^/]+)/.exec(path)?.[1] ?? body.model;
  return `${model} heard: ${prompts.join(" / ")}`;
}

function toText(content) {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("");
}
