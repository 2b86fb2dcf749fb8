/** Both SDKs answer a server the same: questions by events, requests, with handlers and without. */
import * as official from "@github/copilot-sdk";
import { describe, expect, test } from "vitest";
import * as ours from "../src/index.ts";
import { startRecordingServer } from "./support/recording-server.ts";

type Sdk = typeof official;
type Question = { event: string; data: object } | { request: string; params: object };

const event = (type: string, data: object): Question => ({
  event: type,
  data: { requestId: `r-${type}`, ...data },
});
const tool = (toolName: string, more: object = {}): Question => ({
  event: "external_tool.requested",
  data: {
    requestId: `r-${toolName}`,
    sessionId: "s",
    toolCallId: `c-${toolName}`,
    toolName,
    arguments: { a: 1 },
    ...more,
  },
});

/** What a server may ask, one thing after the other. */
const QUESTIONS: Question[] = [
  tool("text"),
  tool("nothing"),
  tool("object"),
  tool("structured"),
  tool("throws"),
  tool("echo", { traceparent: "tp" }),
  tool("unknown"),
  tool("tool_search_tool"),
  event("permission.requested", { permissionRequest: { kind: "read", path: "/a", toolCallId: "c1" } }),
  event("permission.requested", {
    requestId: "r-managed",
    permissionRequest: { kind: "read", managedApprovalRequired: true },
  }),
  event("permission.requested", {
    requestId: "r-hook",
    resolvedByHook: true,
    permissionRequest: { kind: "read" },
  }),
  event("elicitation.requested", {
    message: "m",
    mode: "form",
    requestedSchema: { type: "object", properties: {} },
  }),
  event("command.execute", { commandName: "deploy", command: "/deploy now", args: "now" }),
  event("command.execute", { requestId: "r-none", commandName: "none", command: "/none", args: "" }),
  event("command.execute", { requestId: "r-bad", commandName: "bad", command: "/bad", args: "" }),
  { request: "userInput.request", params: { question: "q?", choices: ["a"], allowFreeform: false } },
  { request: "exitPlanMode.request", params: { summary: "s", actions: ["go"], recommendedAction: "go" } },
  { request: "autoModeSwitch.request", params: { errorCode: "e", retryAfterSeconds: 3 } },
  {
    request: "systemMessage.transform",
    params: { sections: { tone: { content: "t" }, identity: { content: "i" }, other: { content: "o" } } },
  },
  { request: "providerToken.getToken", params: { providerName: "default" } },
  ...["preToolUse", "postToolUse", "sessionStart", "agentStop", "unheardOf"].map((hookType) => ({
    request: "hooks.invoke",
    params: {
      hookType,
      input: { sessionId: "s", timestamp: 5, cwd: "/w", stop_hook_active: true, toolName: "t" },
    },
  })),
  ...(["readFile", "exists", "stat", "readdir", "rm", "sqliteExists"] as const).map((name) => ({
    request: `sessionFs.${name}`,
    params: { path: name === "stat" ? "/missing" : "/file" },
  })),
  { request: "sessionFs.writeFile", params: { path: "/file", content: "c" } },
  { request: "sessionFs.sqliteQuery", params: { queryType: "query", query: "select 1" } },
  { request: "sessionFs.sqliteTransaction", params: { statements: [{ queryType: "run", query: "x" }] } },
  { request: "canvas.open", params: { canvasId: "c", instanceId: "i", extensionId: "e" } },
  {
    request: "canvas.action.invoke",
    params: { canvasId: "c", instanceId: "i", extensionId: "e", actionName: "act", input: 1 },
  },
  { request: "canvas.close", params: { canvasId: "c", instanceId: "i", extensionId: "e" } },
];

const FS = {
  initialCwd: "/w",
  sessionStatePath: "/s",
  conventions: "posix" as const,
  capabilities: { sqlite: true },
};

/** What the server hears while it asks all that. */
async function answersOf(sdk: Sdk, configOf: (sdk: Sdk) => object) {
  await using server = await startRecordingServer();
  server.answers.set("session.tools.getCurrentMetadata", () => ({
    tools: [{ name: "t", description: "d" }],
  }));
  const client = new sdk.CopilotClient({
    connection: sdk.RuntimeConnection.forUri(`localhost:${server.port}`),
    sessionFs: FS,
  });
  await client.createSession({ sessionId: "s", ...configOf(sdk) } as official.SessionConfig);
  const heard: unknown[] = [];
  const [peer] = server.peers;
  for (const question of QUESTIONS) {
    const before = server.asked.length;
    if ("request" in question) {
      const answer = await peer?.request(question.request, { sessionId: "s", ...question.params }).then(
        (result) => ({ result }),
        (error) => ({ error: withoutPrefix(error.message), data: dataOf(error.data) }),
      );
      heard.push([question.request, answer]);
    } else {
      const { data, event: type } = question;
      peer?.notify("session.event", {
        sessionId: "s",
        event: { id: type, parentId: null, timestamp: "t", type, data },
      });
      // A request that is answered says that what came before it has been looked at.
      await peer
        ?.request("userInput.request", { sessionId: "s", question: `after ${type}` })
        .catch(() => undefined);
      await settled();
      heard.push([(data as { requestId: string }).requestId, server.asked.slice(before)]);
    }
  }
  await client.forceStop();
  return JSON.parse(JSON.stringify(heard).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "now"));
}

/** Handlers are asynchronous: their answers come a few rounds later. */
async function settled(): Promise<void> {
  for (let round = 0; round < 50; round++) await new Promise((resolve) => setImmediate(resolve));
}

/** The library of the official SDK puts the method before the message. */
const withoutPrefix = (message: string) =>
  message
    .replace(/^Request \S+ failed with message: /, "")
    // Each has words of its own for what nobody is there to do.
    .replace(/^No (canvas|providerToken|bearer-token provider) .*/i, "nobody does that");
const dataOf = (data: { code?: string } | undefined) => data?.code;

const files = {
  readFile: async () => "content",
  writeFile: async () => undefined,
  appendFile: async () => undefined,
  exists: async () => true,
  stat: async () => {
    throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  },
  mkdir: async () => undefined,
  readdir: async () => ["a"],
  readdirWithTypes: async () => [],
  rm: async () => {
    throw new Error("not allowed");
  },
  rename: async () => undefined,
  sqlite: {
    query: async () => ({ rows: [[1]], columns: ["1"], rowsAffected: 0 }),
    exists: async () => true,
  },
};

const CONFIGS: Record<string, (sdk: Sdk) => object> = {
  "with a handler for everything": (sdk) => ({
    createSessionFsProvider: () => files,
    tools: [
      sdk.defineTool("text", { handler: () => "said" }),
      sdk.defineTool("nothing", { handler: () => undefined }),
      sdk.defineTool("object", { handler: async () => ({ a: [1] }) }),
      sdk.defineTool("structured", {
        handler: () => ({ textResultForLlm: "t", resultType: "failure", error: "e" }),
      }),
      sdk.defineTool("throws", {
        handler: () => {
          throw new Error("oh");
        },
      }),
      sdk.defineTool("echo", {
        handler: (args, { signal: _, ...invocation }) => JSON.stringify({ args, invocation }),
      }),
      sdk.defineTool("tool_search_tool", {
        handler: (_args, { availableTools }) => JSON.stringify(availableTools),
      }),
    ],
    onPermissionRequest: sdk.approveAll,
    onElicitationRequest: () => ({ action: "accept", content: { a: true } }),
    onUserInputRequest: ({ question }: { question: string }) => ({ answer: question, wasFreeform: true }),
    onExitPlanModeRequest: (request: object) => ({ approved: false, feedback: JSON.stringify(request) }),
    onAutoModeSwitchRequest: () => "yes_always",
    commands: [
      { name: "deploy", handler: () => undefined },
      {
        name: "bad",
        handler: () => {
          throw new Error("no");
        },
      },
    ],
    systemMessage: {
      mode: "customize",
      sections: {
        tone: { action: (text: string) => `${text}!` },
        identity: {
          action: () => {
            throw new Error("x");
          },
        },
      },
    },
    provider: {
      baseUrl: "http://p",
      bearerTokenProvider: async ({ providerName }: { providerName: string }) => `t-${providerName}`,
    },
    hooks: {
      onPreToolUse: (input: object) => ({ additionalContext: JSON.stringify(input) }),
      onSessionStart: () => {
        throw new Error("hook");
      },
      onAgentStop: (input: object) => ({ reason: JSON.stringify(input) }),
    },
    canvases: [
      sdk.createCanvas({
        id: "c",
        displayName: "C",
        description: "d",
        open: () => ({ title: "T" }),
        actions: [
          {
            name: "act",
            handler: () => {
              throw new sdk.CanvasError("mine", "bad action");
            },
          },
        ],
      }),
    ],
  }),
  "with handlers that fail": () => ({
    createSessionFsProvider: () => ({
      ...files,
      sqlite: { ...files.sqlite, transaction: () => Promise.reject(new Error("sql")) },
    }),
    onElicitationRequest: () => Promise.reject(new Error("x")),
    onUserInputRequest: () => Promise.reject(new Error("asked wrongly")),
    onExitPlanModeRequest: () => Promise.reject(new Error("plan")),
    provider: { baseUrl: "http://p", bearerTokenProvider: () => Promise.reject(new Error("token")) },
  }),
  "with an attributed permission": (sdk) => ({
    createSessionFsProvider: () => files,
    onPermissionRequest: () =>
      sdk.createAttributedPermissionResult({ kind: "reject", feedback: "f" }, {
        outcome: "prompted_user",
        source: "human_response",
        surface: "sdk",
      } as never),
  }),
  "with nothing": () => ({ createSessionFsProvider: () => files }),
};

describe("what a server hears", () => {
  test.each(Object.entries(CONFIGS))("%s", async (_name, configOf) => {
    const theirs = await answersOf(official, configOf);
    expect(await answersOf(ours as never, configOf)).toEqual(theirs);
  });
});
