import { CopilotClient, RuntimeConnection } from "@github/copilot-sdk";

/**
 * The connection to the runtime, made when it is first needed and again after the runtime was away.
 *
 * @param {{ address: string, connectionToken?: string }} options
 */
export function createRuntime({ address, connectionToken }) {
  let current;
  return {
    /** A connected client. Rejects when the runtime cannot be reached. */
    async connect() {
      const client = (current ??= new CopilotClient({
        connection: RuntimeConnection.forUri(address, { connectionToken }),
        // No tools but those that this application registers: one runtime serves many users.
        mode: "empty",
      }));
      try {
        // Does nothing while connected.
        await client.start();
        return client;
      } catch (error) {
        // A client that failed to connect cannot be started again.
        if (current === client) current = undefined;
        throw error;
      }
    },
    disconnect: async () => current?.stop(),
  };
}
