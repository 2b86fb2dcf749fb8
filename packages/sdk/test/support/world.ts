/** A real server with a scripted model, and clients that reach it over a network that a test cuts. */
import {
  type FaultProxy,
  type ScriptedModelServer,
  startFaultProxy,
  startScriptedModelServer,
} from "@rightseat/testing";
import { startServer, tempHome } from "../../../server/test/support/servers.ts";
import { CopilotClient, type CopilotClientOptions, RuntimeConnection } from "../../src/index.ts";

export interface World extends AsyncDisposable {
  readonly model: ScriptedModelServer;
  readonly proxy: FaultProxy;
  /** What clients told to `onWarning`. */
  readonly warnings: string[];
  /** A client over the proxy, which comes back at once when it is cut. */
  connect(options?: CopilotClientOptions): CopilotClient;
  /** A client that is not cut. */
  connectDirectly(): CopilotClient;
}

/** @param flags of the server's command */
export async function startWorld(flags: string[] = []): Promise<World> {
  const home = await tempHome();
  const model = await startScriptedModelServer();
  const server = await startServer(home.path, { flags });
  const proxy = await startFaultProxy({ port: server.port, random: Math.random });
  const clients: CopilotClient[] = [];
  const warnings: string[] = [];
  const connectTo = (port: number, options: CopilotClientOptions) => {
    const client = new CopilotClient({
      connection: RuntimeConnection.forUri(`localhost:${port}`),
      reconnect: { initialDelayMs: 1, maxDelayMs: 5 },
      onWarning: (message) => warnings.push(message),
      ...options,
    });
    clients.push(client);
    return client;
  };
  return {
    model,
    proxy,
    warnings,
    connect: (options = {}) => connectTo(proxy.port, options),
    connectDirectly: () => connectTo(server.port, {}),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.forceStop()));
      await proxy.close();
      await server.shutdown();
      await model.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** The prompts that stand in the session's log. */
export async function promptsOf(session: { getEvents(): Promise<{ type: string; data: object }[]> }) {
  const events = await session.getEvents();
  return events.flatMap(({ type, data }) =>
    type === "user.message" ? [(data as { content: string }).content] : [],
  );
}
