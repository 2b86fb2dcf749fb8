/** Both SDKs say the same to a server: what the official one sends for a call, ours sends. */
import * as official from "@github/copilot-sdk";
import * as preview from "copilot-sdk-preview";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as ours from "../src/index.ts";
import { type AskedRequest, startRecordingServer } from "./support/recording-server.ts";

type Sdk = typeof official;

/** What a program makes each of the SDKs say, without the ids that are made up. */
async function saidBy(
  sdk: Sdk,
  program: (client: official.CopilotClient, sdk: Sdk) => Promise<void>,
  options = {},
) {
  await using server = await startRecordingServer();
  server.answers.set("session.delete", () => ({ success: true }));
  server.answers.set("session.list", () => ({ sessions: [] }));
  server.answers.set("models.list", () => ({ models: [{ id: "m", name: "M" }] }));
  server.answers.set("session.getMessages", () => ({ events: [] }));
  server.answers.set("session.setForeground", () => ({ success: true }));
  const client = new sdk.CopilotClient({
    connection: sdk.RuntimeConnection.forUri(`localhost:${server.port}`, { connectionToken: "secret" }),
    ...options,
  });
  await program(client, sdk);
  await client.stop();
  return server.asked.map(withoutOurExtras);
}

/** The message id by which a prompt may be sent again is ours alone. */
function withoutOurExtras({ method, params }: AskedRequest): AskedRequest {
  const { messageId: _, ...rest } = params ?? {};
  return { method, params: JSON.parse(JSON.stringify(rest)) };
}

const PROGRAMS: Record<string, (client: official.CopilotClient, sdk: Sdk) => Promise<void>> = {
  "a session with nothing said about it": async (client) => {
    await client.createSession({ sessionId: "s" });
  },
  "a session with everything said about it": async (client, sdk) => {
    await client.createSession(everything(sdk));
  },
  "a session that is resumed": async (client, sdk) => {
    const { cloud: _, sessionId, ...config } = everything(sdk);
    await client.resumeSession(sessionId, {
      ...config,
      suppressResumeEvent: true,
      continuePendingWork: true,
    } as official.ResumeSessionConfig);
  },
  "a session that is resumed with nothing said": async (client) => {
    await client.resumeSession("s", {});
  },
  "calls of a session": async (client) => {
    const session = await client.createSession({ sessionId: "s" });
    await session.send("text");
    await session.setAutoTier(null);
    await session.send({
      prompt: "p",
      displayPrompt: "d",
      attachments: [
        { type: "file", path: "/a" },
        { type: "blob", data: "AA==", mimeType: "image/png", displayName: "x" },
      ],
      mode: "immediate",
      source: "system",
      agentMode: "plan",
      requestHeaders: { a: "b" },
    });
    await session.abort();
    await session.setModel("m", { reasoningEffort: "high" });
    await session.log("note", { level: "warning", ephemeral: true });
    await session.getEvents();
    await session.rpc.mode.set({ mode: "plan" });
    await session.rpc.plan.read();
    await session.rpc.workspaces.readFile({ path: "a" });
    await session.disconnect();
  },
  "calls of a client": async (client) => {
    await client.start();
    await client.ping("hello");
    await client.getStatus();
    await client.getAuthStatus();
    await client.listModels();
    await client.listModels();
    await client.listSessions();
    await client.listSessions({ workingDirectory: "/w", repository: "o/r" });
    await client.getSessionMetadata("s");
    await client.getLastSessionId();
    await client.deleteSession("s");
    await client.getForegroundSessionId();
    await client.setForegroundSessionId("s");
    await client.rpc.models.list({});
  },
};

function everything(sdk: Sdk) {
  const handler = () => "";
  return {
    sessionId: "s",
    clientName: "app",
    model: "m",
    reasoningEffort: "high",
    reasoningSummary: "concise",
    enableExperimentalMode: true,
    contextTier: "long_context",
    modelCapabilities: { supports: { vision: true } },
    largeOutput: { enabled: true, maxSizeBytes: 5, outputDirectory: "/o" },
    configDirectory: "/c",
    enableConfigDiscovery: true,
    tools: [
      sdk.defineTool("zod", {
        description: "d",
        parameters: z.object({ city: z.string().describe("where") }),
        handler,
      }),
      sdk.defineTool("json", {
        parameters: { type: "object" },
        handler,
        overridesBuiltInTool: true,
        skipPermission: true,
        defer: "never",
        metadata: { "x.y": 1 },
        isTerminal: true,
      }),
      { name: "declared" },
    ],
    toolSearch: { enabled: true, deferThreshold: 3 },
    availableTools: new sdk.ToolSet().addBuiltIn(sdk.BuiltInTools.Isolated).addMcp("*").addCustom("zod"),
    excludedTools: ["builtin:bash"],
    excludedBuiltinAgents: ["a"],
    commands: [
      { name: "deploy", description: "d", handler: () => undefined },
      { name: "bare", handler: () => undefined },
    ],
    systemMessage: {
      mode: "customize",
      content: "c",
      sections: { tone: { action: "replace", content: "t" }, identity: { action: (text: string) => text } },
    },
    provider: { baseUrl: "http://p", bearerTokenProvider: async () => "t" },
    capi: { enableWebSocketResponses: false },
    providers: [
      { name: "n", baseUrl: "http://n", bearerTokenProvider: async () => "t" },
      { name: "o", baseUrl: "http://o" },
    ],
    models: [{ id: "i", provider: "n" }],
    enableSessionTelemetry: false,
    enableCitations: true,
    enableFileChangeTracking: true,
    sessionLimits: { maxAiCredits: 30 },
    skipCustomInstructions: true,
    customAgentsLocalOnly: true,
    coauthorEnabled: false,
    manageScheduleEnabled: false,
    onPermissionRequest: sdk.approveAll,
    onMcpAuthRequest: () => null,
    onUserInputRequest: () => ({ answer: "", wasFreeform: true }),
    onElicitationRequest: () => ({ action: "cancel" }),
    onExitPlanModeRequest: () => ({ approved: true }),
    onAutoModeSwitchRequest: () => "no",
    hooks: { onPreToolUse: () => undefined },
    askUserVariant: "elicitation",
    includedBuiltinSkills: ["k"],
    authClientIdMetadataUrl: "http://a",
    featureFlags: { f: true },
    enableMcpApps: true,
    githubMcpToolConfig: { enableAllTools: true },
    workingDirectory: "/w",
    additionalDirectories: ["/x"],
    streaming: true,
    includeSubAgentStreamingEvents: false,
    mcpServers: {
      local: { command: "c", args: [], workingDirectory: "/m" },
      far: { type: "http", url: "http://u" },
    },
    mcpOAuthTokenStorage: "in-memory",
    customAgents: [{ name: "a", prompt: "p", mcpServers: { l: { command: "c", workingDirectory: "/a" } } }],
    defaultAgent: { excludedTools: ["x"] },
    agent: "a",
    skillDirectories: ["/s"],
    pluginDirectories: ["/p"],
    instructionDirectories: ["/i"],
    disabledSkills: ["d"],
    disabledMcpServers: ["e"],
    infiniteSessions: { enabled: false },
    memory: { enabled: true },
    gitHubToken: "g",
    enableManagedSettings: true,
    managedSettings: { permissions: { deny: ["x"] } },
    skipEmbeddingRetrieval: true,
    embeddingCacheStorage: "in-memory",
    organizationCustomInstructions: "o",
    enableOnDemandInstructionDiscovery: true,
    enableFileHooks: true,
    enableHostGitOperations: true,
    enableSessionStore: true,
    enableSkills: true,
    remoteSession: "off",
    canvases: [sdk.createCanvas({ id: "c", displayName: "C", description: "d", open: () => ({}) })],
    requestCanvasRenderer: true,
    requestExtensions: true,
    extensionSdkPath: "/e",
    extensionInfo: { source: "s", name: "n" },
    canvasProvider: { id: "p" },
    expAssignments: { Features: [], Flights: {}, Configs: [], AssignmentContext: "" },
    cloud: { repository: { owner: "o", name: "n" } },
  } as official.SessionConfig & { sessionId: string };
}

describe.each([
  ["mode copilot-cli", {}],
  ["mode empty", { mode: "empty" as const }],
  ["a name", { clientInfo: { applicationName: "app", integrationVersion: "1" } }],
  [
    "telemetry and tracing",
    { onGitHubTelemetry: () => undefined, onGetTraceContext: () => ({ traceparent: "t" }) },
  ],
])("with %s", (_name, options) => {
  const isEmpty = "mode" in options;
  test.each(Object.entries(PROGRAMS))("%s", async (_what, program) => {
    const withTools: typeof program = (client, sdk) =>
      program(isEmpty ? alwaysWithTools(client) : client, sdk);
    const mine = await saidBy(ours as never, withTools, options);
    for (const sdk of [official, preview as never]) {
      const theirs = await saidBy(sdk, withTools, options);
      expect(mine.map(({ method }) => method)).toEqual(theirs.map(({ method }) => method));
      expect(mine).toEqual(theirs);
    }
  });
});

/** Calls every function of a namespace, however deep, by the order of their names. */
async function callAll(namespace: object): Promise<void> {
  for (const [, member] of Object.entries(namespace).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (typeof member === "function") await member({});
    else await callAll(member as object);
  }
}

/** Programs of what 1.0.15-preview.4 adds. */
const NEWER_PROGRAMS: Record<string, (client: preview.CopilotClient) => Promise<void>> = {
  "forms of answers, fresh instructions, diagnostics": async (client) => {
    const config = { sessionId: "s", refreshCustomInstructions: true, diagnostics: { sources: [] } };
    const session = await client.createSession(config as never);
    await session.send({ prompt: "p", responseSchema: z.object({ total: z.number() }) });
    await session.send({ prompt: "q", responseSchema: { type: "object" } });
  },
  "a session that is resumed with diagnostics": async (client) => {
    await client.resumeSession("s", { diagnostics: { sources: [] } } as never);
  },
  "methods of namespaces that there were": async (client) => {
    const session = await client.createSession({ sessionId: "s" });
    await session.rpc.queue.withdrawMessage({ messageId: "m" } as never);
    await session.rpc.instructions.reload();
    await client.rpc.sandbox.getHostSupport();
  },
  "methods of newer namespaces": async (client) => {
    const { rpc } = await client.createSession({ sessionId: "s" });
    const { accounts, connectors, customizations, diagnostics, managedSettings, workflow } = rpc;
    await callAll({ accounts, connectors, customizations, diagnostics, managedSettings, workflow });
  },
};

test.each(Object.entries(NEWER_PROGRAMS))(
  "what the newest SDK says, ours says: %s",
  async (_what, program) => {
    const options = {
      installationConfirmationHandler: () => "decline",
      extensionLaunchProvider: { resolve: () => ({}) },
    };
    const newer = program as unknown as Parameters<typeof saidBy>[1];
    const theirs = await saidBy(preview as never, newer, options);
    expect(await saidBy(ours as never, newer, options)).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(2);
  },
);

/** Sessions in mode `empty` name their tools. */
function alwaysWithTools(client: official.CopilotClient): official.CopilotClient {
  const { createSession, resumeSession } = client;
  client.createSession = (config) => createSession.call(client, { availableTools: ["custom:*"], ...config });
  client.resumeSession = (id, config) =>
    resumeSession.call(client, id, { availableTools: ["custom:*"], ...config });
  return client;
}
