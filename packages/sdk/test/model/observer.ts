/** Asks the server about sessions without joining them. */
import { once } from "node:events";
import { connect } from "node:net";
import { Channel } from "../../src/connection/channel.ts";
import { reasonOf } from "../../src/index.ts";

export interface Observer {
  /** Whether any client has the session. */
  readonly isHeld: (sessionId: string) => Promise<boolean>;
  readonly close: () => void;
}

export async function observe(port: number): Promise<Observer> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const channel = new Channel(
    { input: socket, output: socket },
    {
      onRequest: () => undefined,
      onNotification: () => undefined,
      onUnsendable: () => undefined,
      onClose: () => undefined,
    },
  );
  await channel.request("connect", {});
  return {
    isHeld: async (sessionId) => {
      try {
        // Only a session that some client has can be asked.
        await channel.request("session.metadata.isProcessing", { sessionId });
        return true;
      } catch (error) {
        if (reasonOf(error) === "session_not_found") return false;
        throw error;
      }
    },
    close: () => channel.close(new Error("done")),
  };
}
