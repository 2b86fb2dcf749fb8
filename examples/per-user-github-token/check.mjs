import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { runStory } from "../support/run-story.mjs";
import { startServer } from "../support/start-server.mjs";
import { startStandIn } from "../support/start-stand-in.mjs";
import { createUserSessions } from "./user-sessions.mjs";

const ADA = { id: "ada", gitHubToken: "gho_token-of-ada" };
const BOB = { id: "bob", gitHubToken: "gho_token-of-bob" };
const LOGINS = new Map([
  [ADA.gitHubToken, "ada-lovelace"],
  [BOB.gitHubToken, "bob-noyce"],
]);

const tokenOf = (request) => request.headers.authorization?.replace(/^(Bearer|token) /i, "");
const isTurn = (request) => request.method === "POST";
const textOf = ({ content }) =>
  typeof content === "string" ? content : content.map((part) => part.text).join("");

await runStory("per-user-github-token", async ({ step, say, verify, defer, tempDir }) => {
  step("Start a stand-in for GitHub and its Copilot API, and a runtime without any token of its own");
  const gitHub = await startStandIn({ get: answerAsGitHub, answer: answerAsModel });
  defer(gitHub.stop);
  const home = await tempDir();
  const runtime = await startServer({
    home,
    demo: false,
    env: { COPILOT_DEBUG_GITHUB_API_URL: gitHub.url, COPILOT_API_URL: gitHub.url },
  });
  defer(runtime.stop);
  const client = new CopilotClient({ connection: RuntimeConnection.forUri(runtime.address), mode: "empty" });
  defer(() => client.forceStop());
  await client.start();
  const sessions = createUserSessions(client);
  const ask = async (user, prompt) => {
    const session = await sessions.open(user, "chat", { model: "stand-in" });
    const answer = await session.sendAndWait({ prompt });
    await session.disconnect();
    say(`${user.id}: ${prompt} -> ${answer?.data.content}`);
    return answer?.data.content;
  };

  step("Two users talk at the same time, each with their own token");
  const [ada, bob] = await Promise.all([ask(ADA, "The plan is Alpha."), ask(BOB, "The plan is Beta.")]);
  verify(
    ada.startsWith("Hello ada-lovelace") && bob.startsWith("Hello bob-noyce"),
    "GitHub sees each as themselves",
  );
  const again = await ask(ADA, "What is the plan?");
  verify(
    again.includes("The plan is Alpha."),
    "a resumed session goes on with the user's token and conversation",
  );
  const turns = gitHub.requests.filter(isTurn);
  const mixed = turns.filter((turn) =>
    JSON.stringify(turn.body).includes(tokenOf(turn) === ADA.gitHubToken ? "Beta" : "Alpha"),
  );
  verify(
    turns.length === 3 && mixed.length === 0,
    "no request carries one user's words with the other's token",
  );

  step("A token that GitHub refuses");
  const before = gitHub.requests.filter(isTurn).length;
  const refusal = await sessions.open({ id: "eve", gitHubToken: "gho_revoked" }, "chat").then(
    () => undefined,
    (error) => error,
  );
  say(`error: ${refusal?.message}`);
  verify(
    refusal !== undefined && /GitHub rejected the token: 401/.test(refusal.message),
    "the session is refused, and the error says why",
  );
  verify(!refusal.message.includes("gho_revoked"), "the error does not give the token away");
  verify(gitHub.requests.filter(isTurn).length === before, "no model was asked");
  verify(
    (await client.listSessions()).every(({ sessionId }) => !sessionId.startsWith("eve-")),
    "no session is left of it",
  );

  step("Look for tokens in what the runtime has written");
  const written = await readAll(home);
  verify(written.includes("The plan is Alpha."), "the conversation is on disk");
  verify(
    [...LOGINS.keys(), "gho_revoked"].every((token) => !written.includes(token)),
    "the tokens are not",
  );
  await sessions.remove(ADA, "chat");
  verify((await client.listSessions()).length === 1, "a user's session can be deleted");
});

function answerAsGitHub(request) {
  const login = LOGINS.get(tokenOf(request));
  if (login === undefined) return { status: 401, body: { message: "Bad credentials" } };
  if (request.path === "/copilot_internal/user")
    return { status: 200, body: { login, copilot_plan: "business" } };
  return undefined;
}

function answerAsModel(request) {
  const login = LOGINS.get(tokenOf(request));
  if (login === undefined) return { status: 401, body: { error: { message: "Bad credentials" } } };
  const prompts = request.body.messages.filter((message) => message.role === "user").map(textOf);
  return `Hello ${login}, you said so far: ${prompts.join(" / ")}`;
}

async function readAll(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map((file) => readFile(join(file.parentPath ?? file.path, file.name), "latin1")))
  ).join("\n");
}
