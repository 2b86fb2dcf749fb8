// USER_ID=ada USER_GITHUB_TOKEN=... node ask.mjs "What is a monad?"
import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { createUserSessions } from "./user-sessions.mjs";

const {
  CLI_URL = "localhost:4321",
  COPILOT_CONNECTION_TOKEN,
  USER_ID,
  USER_GITHUB_TOKEN,
  MODEL,
} = process.env;
if (!USER_ID || !USER_GITHUB_TOKEN) throw new Error("set USER_ID and USER_GITHUB_TOKEN");

const client = new CopilotClient({
  connection: RuntimeConnection.forUri(CLI_URL, { connectionToken: COPILOT_CONNECTION_TOKEN }),
  mode: "empty",
});
await client.start();
try {
  const session = await createUserSessions(client).open(
    { id: USER_ID, gitHubToken: USER_GITHUB_TOKEN },
    "first-chat",
    { model: MODEL },
  );
  const answer = await session.sendAndWait({ prompt: process.argv[2] ?? "Who are you?" });
  console.log(answer?.data.content);
} finally {
  await client.stop();
}
