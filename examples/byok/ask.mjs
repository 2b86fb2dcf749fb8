// PROVIDER=ollama node ask.mjs "Why is the sky blue?"
import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";
import { PROVIDERS } from "./providers.mjs";

const { CLI_URL = "localhost:4321", COPILOT_CONNECTION_TOKEN, PROVIDER = "ollama" } = process.env;
const toConfig = PROVIDERS[PROVIDER];
if (toConfig === undefined) throw new Error(`PROVIDER: expected one of ${Object.keys(PROVIDERS).join(", ")}`);

const client = new CopilotClient({
  connection: RuntimeConnection.forUri(CLI_URL, { connectionToken: COPILOT_CONNECTION_TOKEN }),
  mode: "empty",
});
try {
  const session = await client.createSession({
    ...toConfig(process.env),
    availableTools: ["custom:*"],
    streaming: true,
  });
  session.on("assistant.message_delta", ({ data }) => process.stdout.write(data.deltaContent));
  await session.sendAndWait({ prompt: process.argv[2] ?? "Why is the sky blue?" });
  process.stdout.write("\n");
} finally {
  await client.stop();
}
