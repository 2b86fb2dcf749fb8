import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";

/** A client for the runtime that the environment names. */
export function createClient({ CLI_URL = "localhost:4321", COPILOT_CONNECTION_TOKEN } = process.env) {
  return new CopilotClient({
    connection: RuntimeConnection.forUri(CLI_URL, { connectionToken: COPILOT_CONNECTION_TOKEN }),
    mode: "empty",
  });
}
