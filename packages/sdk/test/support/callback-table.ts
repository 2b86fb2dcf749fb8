/**
 * Every callback of the API: how a program gives it, and how a server has it called. The keys follow from the types:
 * a callback without a row does not compile.
 */
import { expect } from "vitest";
import {
  type CopilotClient,
  type CopilotClientOptions,
  CopilotRequestHandler,
  type CopilotSession,
  createCanvas,
  RuntimeConnection,
  type SessionConfig,
  type SessionFsProvider,
  type SessionHooks,
  type ToolSet,
} from "../../src/index.ts";
import type { RecordingServer } from "./recording-server.ts";

// biome-ignore lint/suspicious/noExplicitAny: callbacks that do what no type allows
export type Misbehaviour = (...args: any[]) => any;
type AnyFunction = (...args: never[]) => unknown;
type Leaf = string | number | boolean | bigint | Date | AbortSignal | Uint8Array | ToolSet | null | undefined;
/** Schemas are a library's own, and checked where they are called: in the handler of a tool. */
type Schemas = "parameters" | "inputSchema" | "responseSchema";
/** Node calls what belongs to certificates other than the check of a name with no callback of ours. */
type NotOurs = "ca" | "cert" | "key" | "pfx" | "ALPNProtocols";

/** The names of the callbacks in a type, with dots between; of lists and tables, those of what is in them. */
type CallbacksIn<T, Depth extends 1[] = []> = Depth["length"] extends 4
  ? never
  : T extends Leaf | AnyFunction
    ? never
    : T extends readonly (infer Item)[]
      ? CallbacksIn<Item, [...Depth, 1]>
      : { [K in keyof T & string]-?: CallbackAt<K, NonNullable<T[K]>, Depth> }[keyof T & string];
type CallbackAt<K extends string, V, Depth extends 1[]> = K extends Schemas | NotOurs
  ? never
  : K extends "sections"
    ? "sections.action"
    : V extends AnyFunction
      ? K
      : `${K}.${CallbacksIn<V, [...Depth, 1]>}`;

/** The methods of a class that take a callback. */
type Listening<C> = {
  [K in keyof C & string]: C[K] extends (...args: infer A) => unknown
    ? Extract<A[number], AnyFunction> extends never
      ? never
      : K
    : never;
}[keyof C & string];

export type CallbackName =
  | `client.${CallbacksIn<CopilotClientOptions>}`
  | `session.${CallbacksIn<SessionConfig>}`
  | `files.${CallbacksIn<SessionFsProvider>}`
  | `client.${Listening<CopilotClient>}()`
  | `session.${Listening<CopilotSession>}()`
  // Protected methods are not among the keys of a class.
  | "client.requestHandler.sendRequest"
  | "client.requestHandler.openWebSocket"
  | "client.installationConfirmationHandler(listener)";

export interface Scene {
  readonly server: RecordingServer;
  readonly client: CopilotClient;
  readonly session: CopilotSession;
  readonly warnings: string[];
  readonly callback: Misbehaviour;
}

export interface Row {
  readonly options?: (callback: Misbehaviour, port: number) => CopilotClientOptions;
  readonly config?: (callback: Misbehaviour) => SessionConfig;
  /** Has it called; resolves with what came of it: what the server hears, or who else is told. */
  readonly call: (scene: Scene) => Promise<unknown>;
  /** What comes of it when it throws or rejects. */
  readonly failed: unknown;
  /** Something ends the wait for it, or nothing waits. */
  readonly settles?: boolean;
}

const SESSION = "s";

/** The server asks by a request; `{ result }` or `{ error }` is what it hears. */
const request =
  (method: string, params: object = {}) =>
  ({ server }: Scene): Promise<unknown> => {
    const peer = server.peers[0];
    if (!peer) throw new Error("nobody is connected");
    return peer.request(method, { sessionId: SESSION, ...params }).then(
      (result) => ({ result }),
      ({ message }: Error) => ({ error: message }),
    );
  };

let questions = 0;
/** The server asks by an event; the parameters of the call that answers are what it hears. */
const question =
  (type: string, data: object, method: string) =>
  async ({ server }: Scene): Promise<unknown> => {
    const requestId = `question-${questions++}`;
    tell(server, type, { requestId, ...data });
    const isAnswer = (asked: RecordingServer["asked"][number]) =>
      asked.method === method && asked.params.requestId === requestId;
    await server.until(() => server.asked.some(isAnswer));
    const { sessionId: _, requestId: __, ...heard } = server.asked.find(isAnswer)?.params ?? {};
    return heard;
  };

const tell = (server: RecordingServer, type: string, data: object) =>
  server.peers[0]?.notify("session.event", {
    sessionId: SESSION,
    event: { id: `e-${questions++}`, parentId: null, timestamp: "2026-01-01T00:00:00Z", type, data },
  });

/** Whoever only listens is called in passing: what comes of it is a warning. */
const passing = (cause: (scene: Scene) => unknown) => async (scene: Scene) => {
  const before = scene.warnings.length;
  await cause(scene);
  // An answer says that what was told before it has been looked at.
  await scene.client.ping();
  await new Promise((resolve) => setImmediate(resolve));
  return { warned: scene.warnings.slice(before) };
};

const outcome = (work: Promise<unknown>) =>
  work.then(
    (result) => ({ result }),
    (error: Error | null) => ({ error: error?.message ?? null }),
  );

const THROWN = "told why";
const FAILED = { error: THROWN };
const warned = (message: string) => ({ warned: [message] });
const NO_OUTPUT = { result: { output: undefined } };
const asToldFile = (answer: object) => ({
  result: { ...answer, error: { code: "UNKNOWN", message: THROWN } },
});
const PROVIDER = { baseUrl: "http://localhost:1" };
const CANVAS = { canvasId: "c", instanceId: "i", extensionId: "e" };
const FILES = { initialCwd: "/w", sessionStatePath: "/s", conventions: "posix" } as const;

const HOOKS: Record<keyof SessionHooks, string> = {
  onPreToolUse: "preToolUse",
  onPreMcpToolCall: "preMcpToolCall",
  onPostToolUse: "postToolUse",
  onPostToolUseFailure: "postToolUseFailure",
  onUserPromptSubmitted: "userPromptSubmitted",
  onUserPromptTransformed: "userPromptTransformed",
  onSessionStart: "sessionStart",
  onSessionEnd: "sessionEnd",
  onErrorOccurred: "errorOccurred",
  onAgentStop: "agentStop",
};

const hook = (name: keyof SessionHooks): Row => ({
  config: (callback) => ({ hooks: { [name]: callback } }),
  call: request("hooks.invoke", { hookType: HOOKS[name], input: { timestamp: 1, cwd: "/" } }),
  failed: NO_OUTPUT,
});

const file = (name: string, params: object, failed: unknown): Row => ({
  options: () => ({ sessionFs: { ...FILES, capabilities: { sqlite: true } } }),
  config: (callback) => ({
    createSessionFsProvider: () =>
      ({
        [name]: callback,
        sqlite: { query: callback, transaction: callback, exists: callback },
      }) as never,
  }),
  call: request(`sessionFs.${name}`, { path: "/a", ...params }),
  failed,
});

const canvas = (params: Partial<Parameters<typeof createCanvas>[0]>): SessionConfig => ({
  canvases: [
    createCanvas({ id: "c", displayName: "c", description: "d", open: () => ({}), ...params } as never),
  ],
});

const inference = (method: "sendRequest" | "openWebSocket", transport: string): Row => ({
  options: (callback) => {
    class Handler extends CopilotRequestHandler {}
    Object.assign(Handler.prototype, { [method]: callback });
    return { requestHandler: new Handler() };
  },
  call: async (scene) => {
    const requestId = `inference-${questions++}`;
    const start = { requestId, transport, method: "POST", url: "http://localhost:1", headers: {} };
    await request("llmInference.httpRequestStart", start)(scene);
    await request("llmInference.httpRequestChunk", { requestId, data: "", end: true })(scene);
    const ends = ({ method, params }: RecordingServer["asked"][number]) =>
      method === "llmInference.httpResponseChunk" && params.requestId === requestId && params.end;
    await scene.server.until(() => scene.server.asked.some(ends));
    return { error: scene.server.asked.find(ends)?.params.error?.message };
  },
  failed: FAILED,
});

export const TABLE: Record<CallbackName, Row | `tested by ${string}`> = {
  "client.tls.checkServerIdentity": "tested by secure.test.ts",
  "client.connection.tls.checkServerIdentity": "tested by secure.test.ts",
  "client.connection.connectionToken": {
    options: (connectionToken, port) => ({
      connection: RuntimeConnection.forUri(`localhost:${port}`, { connectionToken }),
    }),
    call: async ({ client, server }) => {
      server.cutAll();
      return outcome(client.ping("", { timeoutMs: 200 }));
    },
    failed: { error: expect.stringContaining(THROWN) },
  },
  "client.onConnectionState": {
    options: (onConnectionState) => ({ onConnectionState }),
    call: passing(({ client, server }) => {
      server.cutAll();
      return client.ping();
    }),
    failed: { warned: ["onConnectionState failed", "onConnectionState failed"] },
    settles: true,
  },
  "client.onWarning": {
    options: (onWarning) => ({ onWarning }),
    call: passing(({ server, session }) => {
      session.on("session.info", () => {
        throw new Error("to warn of");
      });
      tell(server, "session.info", {});
    }),
    failed: { warned: [] },
    settles: true,
  },
  "client.onListModels": {
    options: (onListModels) => ({ onListModels }),
    call: ({ client }) => outcome(client.listModels({ timeoutMs: 20 })),
    failed: FAILED,
    settles: true,
  },
  "client.onGetTraceContext": {
    options: (onGetTraceContext) => ({ onGetTraceContext }),
    call: passing(({ session }) => session.send("hello", { timeoutMs: 20 }).catch(() => undefined)),
    failed: warned("onGetTraceContext failed; the call goes out untraced"),
    settles: true,
  },
  "client.onGitHubTelemetry": {
    options: (onGitHubTelemetry) => ({ onGitHubTelemetry }),
    call: passing(({ server }) => server.peers[0]?.notify("gitHubTelemetry.event", {})),
    failed: warned("onGitHubTelemetry failed"),
    settles: true,
  },
  "client.extensionLaunchProvider.resolve": {
    options: (resolve) => ({ extensionLaunchProvider: { resolve } }),
    call: request("extensionLaunchProvider.resolve"),
    failed: FAILED,
  },
  "client.installationConfirmationHandler": {
    options: (installationConfirmationHandler) => ({ installationConfirmationHandler }),
    call: request("installations.confirm", { confirmationId: "c", reviewFingerprint: "f" }),
    failed: FAILED,
  },
  "client.installationConfirmationHandler(listener)": {
    options: (callback) => ({
      installationConfirmationHandler: (_request, { onCancellationRequested }) => {
        onCancellationRequested(callback);
        return new Promise(() => undefined);
      },
    }),
    call: passing(async ({ server }) => {
      const giveUp = new AbortController();
      const asked = server.peers[0]?.request("installations.confirm", {}, giveUp.signal);
      const given = asked?.catch(() => undefined);
      giveUp.abort();
      await given;
    }),
    failed: warned("a listener of installationConfirmationHandler failed"),
    settles: true,
  },
  "client.requestHandler.sendRequest": inference("sendRequest", "http"),
  "client.requestHandler.openWebSocket": inference("openWebSocket", "websocket"),
  "client.on()": lifecycle("on"),
  "client.onLifecycle()": lifecycle("onLifecycle"),
  "session.on()": {
    call: passing(({ server, session, callback }) => {
      session.on("session.info", callback);
      tell(server, "session.info", {});
    }),
    failed: warned("a listener of a session failed"),
    settles: true,
  },
  "session.onEvent": {
    config: (onEvent) => ({ onEvent }),
    call: passing(({ server }) => tell(server, "session.info", {})),
    failed: warned("a listener of a session failed"),
    settles: true,
  },
  "session.tools.handler": {
    config: (handler) => ({ tools: [{ name: "t", handler }] }),
    call: question(
      "external_tool.requested",
      { toolName: "t", toolCallId: "c", sessionId: SESSION },
      "session.tools.handlePendingToolCall",
    ),
    failed: FAILED,
  },
  "session.commands.handler": {
    config: (handler) => ({ commands: [{ name: "deploy", handler }] }),
    call: question(
      "command.execute",
      { commandName: "deploy", command: "/deploy", args: "" },
      "session.commands.handlePendingCommand",
    ),
    failed: FAILED,
  },
  "session.onPermissionRequest": {
    config: (onPermissionRequest) => ({ onPermissionRequest }),
    call: question(
      "permission.requested",
      { permissionRequest: { kind: "read", path: "/a" } },
      "session.permissions.handlePendingPermissionRequest",
    ),
    failed: { result: { kind: "user-not-available" } },
  },
  "session.onElicitationRequest": {
    config: (onElicitationRequest) => ({ onElicitationRequest }),
    call: question("elicitation.requested", { message: "m" }, "session.ui.handlePendingElicitation"),
    failed: { result: { action: "cancel" } },
  },
  "session.onMcpAuthRequest": {
    config: (onMcpAuthRequest) => ({ onMcpAuthRequest }),
    call: question(
      "mcp.oauth_required",
      { serverName: "m", serverUrl: "http://localhost:1" },
      "session.mcp.oauth.handlePendingRequest",
    ),
    failed: { result: { kind: "cancelled" } },
  },
  "session.onUserInputRequest": {
    config: (onUserInputRequest) => ({ onUserInputRequest }),
    call: request("userInput.request", { question: "q?" }),
    failed: FAILED,
  },
  "session.onExitPlanModeRequest": {
    config: (onExitPlanModeRequest) => ({ onExitPlanModeRequest }),
    call: request("exitPlanMode.request", { summary: "s", actions: ["go"], recommendedAction: "go" }),
    failed: FAILED,
  },
  "session.onAutoModeSwitchRequest": {
    config: (onAutoModeSwitchRequest) => ({ onAutoModeSwitchRequest }),
    call: request("autoModeSwitch.request"),
    failed: FAILED,
  },
  "session.systemMessage.sections.action": {
    config: (action) => ({ systemMessage: { mode: "customize", sections: { tone: { action } } } }),
    call: request("systemMessage.transform", { sections: { tone: { content: "as it is" } } }),
    failed: { result: { sections: { tone: { content: "as it is" } } } },
  },
  "session.provider.bearerTokenProvider": {
    config: (bearerTokenProvider) => ({ provider: { ...PROVIDER, bearerTokenProvider } }),
    call: request("providerToken.getToken", { providerName: "default" }),
    failed: FAILED,
  },
  "session.providers.bearerTokenProvider": {
    config: (bearerTokenProvider) => ({ providers: [{ name: "p", ...PROVIDER, bearerTokenProvider }] }),
    call: request("providerToken.getToken", { providerName: "p" }),
    failed: FAILED,
  },
  "session.gitHubTokenProvider": {
    config: (gitHubTokenProvider) => ({ gitHubTokenProvider }),
    call: (scene) => {
      const { params } = scene.server.asked.find(({ method }) => method === "session.create") ?? {};
      const registrationId = Object.entries(params ?? {}).find(([name]) => /registration/i.test(name))?.[1];
      return request("gitHubToken.getToken", { registrationId, host: "h", reason: "initial" })(scene);
    },
    failed: FAILED,
  },
  "session.hooks.onPreToolUse": hook("onPreToolUse"),
  "session.hooks.onPreMcpToolCall": hook("onPreMcpToolCall"),
  "session.hooks.onPostToolUse": hook("onPostToolUse"),
  "session.hooks.onPostToolUseFailure": hook("onPostToolUseFailure"),
  "session.hooks.onUserPromptSubmitted": hook("onUserPromptSubmitted"),
  "session.hooks.onUserPromptTransformed": hook("onUserPromptTransformed"),
  "session.hooks.onSessionStart": hook("onSessionStart"),
  "session.hooks.onSessionEnd": hook("onSessionEnd"),
  "session.hooks.onErrorOccurred": hook("onErrorOccurred"),
  "session.hooks.onAgentStop": hook("onAgentStop"),
  "session.canvases.open": {
    config: (open) => canvas({ open }),
    call: request("canvas.open", CANVAS),
    failed: FAILED,
  },
  "session.canvases.onClose": {
    config: (onClose) => canvas({ onClose }),
    call: request("canvas.close", CANVAS),
    failed: FAILED,
  },
  "session.canvases.invoke": {
    config: (handler) => canvas({ actions: [{ name: "act", handler }] }),
    call: request("canvas.action.invoke", { ...CANVAS, actionName: "act" }),
    failed: FAILED,
  },
  "session.createSessionFsProvider": {
    options: () => ({ sessionFs: FILES }),
    config: () => ({ createSessionFsProvider: () => ({}) as never }),
    call: ({ client, callback }) =>
      outcome(
        client.createSession({ createSessionFsProvider: callback }).then((session) => session.disconnect()),
      ),
    failed: {
      error: expect.stringMatching(
        /^(told why|createSessionFsProvider: expected a provider, got a promise)$/,
      ),
    },
    settles: true,
  },
  "files.readFile": file("readFile", {}, asToldFile({ content: "" })),
  "files.writeFile": file("writeFile", { content: "c" }, { result: { code: "UNKNOWN", message: THROWN } }),
  "files.appendFile": file("appendFile", { content: "c" }, { result: { code: "UNKNOWN", message: THROWN } }),
  "files.exists": file("exists", {}, { result: { exists: false } }),
  "files.stat": file(
    "stat",
    {},
    {
      result: expect.objectContaining({
        isFile: false,
        isDirectory: false,
        error: { code: "UNKNOWN", message: THROWN },
      }),
    },
  ),
  "files.mkdir": file("mkdir", {}, { result: { code: "UNKNOWN", message: THROWN } }),
  "files.readdir": file("readdir", {}, asToldFile({ entries: [] })),
  "files.readdirWithTypes": file("readdirWithTypes", {}, asToldFile({ entries: [] })),
  "files.rm": file("rm", {}, { result: { code: "UNKNOWN", message: THROWN } }),
  "files.rename": file("rename", { src: "/a", dest: "/b" }, { result: { code: "UNKNOWN", message: THROWN } }),
  "files.sqlite.query": file("sqliteQuery", { queryType: "query", query: "select 1" }, FAILED),
  "files.sqlite.transaction": file(
    "sqliteTransaction",
    { statements: [] },
    { result: { results: [], error: { errorClass: "fatal", message: THROWN } } },
  ),
  "files.sqlite.exists": file("sqliteExists", {}, FAILED),
};

function lifecycle(method: "on" | "onLifecycle"): Row {
  return {
    call: passing(({ client, server, callback }) => {
      client[method](callback);
      server.peers[0]?.notify("session.lifecycle", { type: "session.created", sessionId: "x" });
    }),
    failed: warned("a listener of the client failed"),
    settles: true,
  };
}
