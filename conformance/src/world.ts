import type { CopilotClient, SessionConfig } from "@github/copilot-sdk";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { startOwnRuntime } from "./own-runtime.ts";
import { type PublishedSchemas, readPublishedSchemas } from "./published-schemas.ts";
import { startRecordingProxy } from "./recording-proxy.ts";
import type { RuntimeExit } from "./runtime-process.ts";
import type { SdkVersion } from "./sdk-versions.ts";
import type { SeenEvents } from "./seen-events.ts";
import { WireChecker } from "./wire-checker.ts";

export interface WorldOptions {
  /** The secret that the runtime asks of its clients. */
  readonly token?: string;
  readonly args?: readonly string[];
  /** The model is GitHub's, for sessions without a provider. */
  readonly gitHub?: boolean;
  /** A runtime to use instead of one's own; goes before the others. */
  readonly shared?: { readonly port: number };
}

/** What a test needs besides an SDK: a runtime with a home of its own, a model, and an ear on the wire between. */
export interface World extends AsyncDisposable {
  readonly model: ScriptedModelServer;
  readonly wire: WireChecker;
  /** Where clients connect; stays the same when the runtime is started anew. */
  readonly port: number;
  /** A client that the world stops in the end. */
  connect(sdk: SdkVersion, token?: string): Promise<CopilotClient>;
  /** Settings of a session that is answered by the world's model; records its events in `seen`. */
  session(seen: SeenEvents, settings?: Partial<SessionConfig>): SessionConfig;
  /** Ends the runtime, drops its clients, and starts it again on the same home. */
  restart(signal: "SIGTERM" | "SIGKILL"): Promise<RuntimeExit>;
  /**
   * Lets go of everything, and throws unless all is well: clients stopped without errors, a runtime of its
   * own ended with code 0 and left no process, and all that was said was according to the schemas.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

let schemas: PublishedSchemas | undefined;

/** The schemas are large: read and compiled once a process. */
export function createWireChecker(): WireChecker {
  schemas ??= readPublishedSchemas();
  return new WireChecker(schemas);
}

/** A world whose runtime is its own, or one that others use as well and that somebody else ends. */
export async function startWorld({ token, args, gitHub, shared }: WorldOptions = {}): Promise<World> {
  const model = await startScriptedModelServer();
  const wire = createWireChecker();
  const env = gitHub ? { COPILOT_API_URL: model.url, GH_TOKEN: "a-token" } : undefined;
  const own = shared === undefined ? await startOwnRuntime({ token, args, env }) : undefined;
  const port = () => (own?.process ?? shared)!.port;
  const proxy = await startRecordingProxy(port(), (connection) => wire.listen(connection));
  let clients: CopilotClient[] = [];
  return {
    model,
    wire,
    port: proxy.port,
    async connect(sdk, withToken) {
      const client = sdk.createClient({ port: proxy.port, token: withToken });
      clients.push(client);
      await client.start();
      return client;
    },
    session: (seen, settings = {}) => ({ ...byok(model), onEvent: seen.record, ...settings }),
    async restart(signal) {
      if (own === undefined) throw new Error("a runtime that others use is not restarted");
      const exit = await own.process.end(signal);
      await Promise.all(clients.map((client) => client.forceStop()));
      clients = [];
      await own.startAgain();
      proxy.target = port();
      return exit;
    },
    async [Symbol.asyncDispose]() {
      const problems: unknown[] = [];
      for (const client of clients) problems.push(...(await client.stop()));
      problems.push(...((await own?.end()) ?? []));
      await proxy.close();
      await model.close();
      problems.push(...wire.violations);
      if (problems.length > 0) throw new AggregateError(problems, problems.map(String).join("\n"));
    },
  };
}

/** A model provider of the application's own, streaming, every permission granted. */
export function byok(model: ScriptedModelServer): SessionConfig {
  return {
    model: "scripted",
    streaming: true,
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "a-key" },
    onPermissionRequest: () => ({ kind: "approve-once" }),
  };
}
