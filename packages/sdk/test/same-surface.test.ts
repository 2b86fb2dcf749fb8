/** Programs that are written for the official SDK find here what they name, with the types they expect. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as official from "@github/copilot-sdk";
import * as preview from "copilot-sdk-preview";
import ts from "typescript";
import { expect, expectTypeOf, test } from "vitest";
import * as ours from "../src/index.ts";

test.each([
  ["1.0.14", official],
  ["1.0.15-preview.4", preview],
])("every value of the official SDK %s is exported", (_version, theirs) => {
  expect(Object.keys(ours)).toEqual(expect.arrayContaining(Object.keys(theirs)));
});

/** Factories and workflows belong to extensions of the Copilot CLI; their names for values are exported, to say so. */
const OF_FACTORIES = /^(Factory|SessionFactory|RunOptions$|ResumeOptions$|Workflow|SessionWorkflow)/;

function typeNames(sdk: string): string[] {
  const path = createRequire(import.meta.url)
    .resolve(sdk)
    .replace(/cjs\/index\.js$/, "index.d.ts");
  return [...readFileSync(path, "utf8").matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap((match) => (match[1] as string).split(","))
    .map((name) => name.replace("type ", "").trim())
    .filter((name) => name !== "" && !OF_FACTORIES.test(name));
}

test("every type of the official SDK's own is exported, and programs compile with either", () => {
  const names = [...new Set(["@github/copilot-sdk", "copilot-sdk-preview"].flatMap(typeNames))];
  expect(names.length).toBeGreaterThan(150);
  const sources = {
    names: `import type {\n${names.join(",\n")}\n} from "../src/index.ts";`,
    official: PROGRAM.replace('"SDK"', '"@github/copilot-sdk"'),
    preview: (PROGRAM + NEWER).replace('"SDK"', '"copilot-sdk-preview"'),
    ours: (PROGRAM + NEWER).replace('"SDK"', '"../src/index.ts"'),
  };
  expect(problemsOf(sources)).toEqual([]);
}, 60_000);

/** What the compiler says of programs that stand in this folder. */
function problemsOf(sources: Record<string, string>): string[] {
  const root = new URL("../../../tsconfig.json", import.meta.url).pathname;
  const { config } = ts.readConfigFile(root, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(root));
  const lenient = { ...options, noUnusedLocals: false, noEmit: true };
  const files = new Map(
    Object.entries(sources).map(([name, text]) => [
      new URL(`./${name}.program.ts`, import.meta.url).pathname,
      text,
    ]),
  );
  const host = ts.createCompilerHost(lenient);
  const readFile = host.getSourceFile;
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name);
    if (text === undefined) return readFile.call(host, name, ...rest);
    return ts.createSourceFile(name, text, ts.ScriptTarget.ES2023);
  };
  const program = ts.createProgram([...files.keys()], lenient, host);
  return [...files.keys()].flatMap((name) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(name))
      .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`),
  );
}

test("what a program gives the official SDK, it may give ours", () => {
  // Values of any shape are `unknown` here and `JsonValue` there: what holds them is left out.
  type Config = Omit<
    official.SessionConfig,
    | "createSessionFsProvider"
    | "canvases"
    | "availableTools"
    | "excludedTools"
    | "tools"
    | "onPermissionRequest"
    | "onEvent"
    | "onMcpAuthRequest"
  >;
  expectTypeOf<Extends<Config, ours.SessionConfig>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<official.MessageOptions, ours.MessageOptions>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<preview.MessageOptions, ours.MessageOptions>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<official.SessionHooks, ours.SessionHooks>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<official.SessionFsProvider, ours.SessionFsProvider>>().toEqualTypeOf<true>();
  type Options = Omit<official.CopilotClientOptions, "requestHandler" | "onGitHubTelemetry">;
  expectTypeOf<Extends<Options, ours.CopilotClientOptions>>().toEqualTypeOf<true>();
});

test("what the official SDK gives a program, ours gives too", () => {
  expectTypeOf<Extends<ours.SessionMetadata, official.SessionMetadata>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<ours.ModelInfo, official.ModelInfo>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<ours.GetStatusResponse, official.GetStatusResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<ours.GetAuthStatusResponse, official.GetAuthStatusResponse>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<ours.SessionLifecycleEvent, official.SessionLifecycleEvent>>().toEqualTypeOf<true>();
  expectTypeOf<Extends<preview.SessionEvent["type"], ours.SessionEvent["type"]>>().toEqualTypeOf<true>();
  // The schemas that ours are made of are a little newer.
  expectTypeOf<Extends<official.SessionEvent["type"], ours.SessionEvent["type"]>>().toEqualTypeOf<true>();
});

test("client.rpc and session.rpc have the namespaces and functions of the official SDK's", () => {
  type Ours = ours.CopilotSession["rpc"];
  type Theirs = official.CopilotSession["rpc"];
  expectTypeOf<Exclude<keyof Theirs, keyof Ours>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof Theirs["queue"], keyof Ours["queue"]>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof Theirs["mcp"]["oauth"], keyof Ours["mcp"]["oauth"]>>().toEqualTypeOf<never>();
  expectTypeOf<
    Exclude<keyof official.CopilotClient["rpc"], keyof ours.CopilotClient["rpc"]>
  >().toEqualTypeOf<never>();
  type Newer = preview.CopilotSession["rpc"];
  expectTypeOf<Exclude<keyof Newer, keyof Ours>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof Newer["queue"], keyof Ours["queue"]>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof Newer["plugins"], keyof Ours["plugins"]>>().toEqualTypeOf<never>();
  expectTypeOf<
    Exclude<keyof preview.CopilotClient["rpc"], keyof ours.CopilotClient["rpc"]>
  >().toEqualTypeOf<never>();
});

/** The paths of the functions in a tree of namespaces. */
type Functions<T> = {
  [K in keyof T & string]: T[K] extends (...args: never[]) => unknown ? K : `${K}.${Functions<T[K]>}`;
}[keyof T & string];

test("every function of the official SDKs' rpc is there, however deep", () => {
  type Of = ours.CopilotSession["rpc"];
  type OfAll = ours.CopilotClient["rpc"];
  expectTypeOf<Exclude<Functions<official.CopilotSession["rpc"]>, Functions<Of>>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<Functions<preview.CopilotSession["rpc"]>, Functions<Of>>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<Functions<official.CopilotClient["rpc"]>, Functions<OfAll>>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<Functions<preview.CopilotClient["rpc"]>, Functions<OfAll>>>().toEqualTypeOf<never>();
});

test("every public member of the official SDKs' clients, sessions and options is there", () => {
  expectTypeOf<Exclude<keyof official.CopilotSession, keyof ours.CopilotSession>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof preview.CopilotSession, keyof ours.CopilotSession>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof official.CopilotClient, keyof ours.CopilotClient>>().toEqualTypeOf<never>();
  expectTypeOf<Exclude<keyof preview.CopilotClient, keyof ours.CopilotClient>>().toEqualTypeOf<never>();
  type Options<O> = Exclude<keyof O, keyof ours.CopilotClientOptions>;
  expectTypeOf<
    Options<official.CopilotClientOptions> | Options<preview.CopilotClientOptions>
  >().toEqualTypeOf<never>();
  type Config<C> = Exclude<keyof C, keyof ours.SessionConfig>;
  expectTypeOf<Config<official.SessionConfig> | Config<preview.SessionConfig>>().toEqualTypeOf<never>();
  type Resume<C> = Exclude<keyof C, keyof ours.ResumeSessionConfig>;
  expectTypeOf<
    Resume<official.ResumeSessionConfig> | Resume<preview.ResumeSessionConfig>
  >().toEqualTypeOf<never>();
  type Message<C> = Exclude<keyof C, keyof ours.MessageOptions>;
  expectTypeOf<Message<official.MessageOptions> | Message<preview.MessageOptions>>().toEqualTypeOf<never>();
  type Given<T> = Exclude<keyof T, keyof ours.Tool>;
  expectTypeOf<Given<official.Tool> | Given<preview.Tool>>().toEqualTypeOf<never>();
});

type Extends<A, B> = [A] extends [B] ? true : false;

/** What the newest SDK has beyond. */
const NEWER = `
export async function newer(session: CopilotSession) {
  const client = new CopilotClient({
    installationConfirmationHandler: ({ confirmationId }, { isCancellationRequested }) =>
      isCancellationRequested || confirmationId === "" ? "cancel" : "decline",
  });
  await client.createSession({ refreshCustomInstructions: true });
  const { total } = await session.sendAndWait("how much?", z.object({ total: z.number() }), 1000);
  const answer = await session.sendAndWait({ prompt: "p", responseSchema: { type: "object" } });
  await session.rpc.instructions.reload();
  void [total.toFixed(), answer?.data.content];
}
`;

/** A program that uses much of the SDK, as one would write it. */
const PROGRAM = `
import {
  approveAll, BuiltInTools, CopilotClient, type CopilotSession, defineTool, type PermissionHandler,
  RuntimeConnection, type SessionConfig, type SessionEvent, type SessionHooks, ToolSet,
} from "SDK";
import { z } from "zod";

const weather = defineTool("weather", {
  description: "The weather in a city",
  parameters: z.object({ city: z.string(), days: z.number().optional() }),
  handler: async ({ city, days }, { toolCallId, signal }) => {
    signal?.throwIfAborted();
    return \`\${city.toUpperCase()} \${(days ?? 1).toFixed()} \${toolCallId}\`;
  },
});
const plain = defineTool("plain", { parameters: { type: "object" }, handler: (args) => ({ args }) });
const decide: PermissionHandler = async (request, { sessionId }) => {
  if (request.kind === "shell") return { kind: "reject", feedback: request.fullCommandText + sessionId };
  if (request.kind === "write") return { kind: "approve-once" };
  return { kind: "no-result" };
};
const hooks: SessionHooks = {
  onPreToolUse: ({ toolName, timestamp, workingDirectory }) =>
    toolName === "bash" ? { permissionDecision: "deny", permissionDecisionReason: workingDirectory + timestamp.getTime() } : undefined,
  onPostToolUse: async ({ toolResult }) => ({ additionalContext: toolResult.textResultForLlm }),
  onAgentStop: ({ stopHookActive }) => (stopHookActive ? undefined : { decision: "block", reason: "go on" }),
};
const config: SessionConfig = {
  model: "gpt-5", streaming: true, tools: [weather, plain], hooks, onPermissionRequest: decide,
  availableTools: new ToolSet().addBuiltIn(BuiltInTools.Isolated).addCustom("*"),
  provider: { type: "openai", baseUrl: "http://x", apiKey: "k", headers: { a: "b" } },
  systemMessage: { mode: "customize", sections: { tone: { action: (text) => text.trim() } } },
  mcpServers: { files: { command: "npx", args: ["x"], tools: ["*"] }, web: { type: "http", url: "http://x" } },
  customAgents: [{ name: "a", prompt: "p", tools: null }],
  onUserInputRequest: ({ question, choices }) => ({ answer: choices?.[0] ?? question, wasFreeform: !choices }),
  onElicitationRequest: ({ requestedSchema }) => ({ action: requestedSchema ? "decline" : "cancel" }),
  commands: [{ name: "deploy", handler: ({ args }) => void args.length }],
};
export async function main(): Promise<void> {
  await using client = new CopilotClient({
    connection: RuntimeConnection.forUri("localhost:1", { connectionToken: "t" }), mode: "empty",
    onListModels: () => [],
  });
  await client.start();
  const session: CopilotSession = await client.createSession(config);
  const stop = session.on((event: SessionEvent) => {
    if (event.type === "assistant.message") event.data.content.length;
    if (event.type === "tool.execution_complete" && !event.data.success) event.data.error?.message.length;
    if (event.type === "session.error") event.data.errorType.length;
  });
  const off = session.on("assistant.message_delta", ({ data, ephemeral }) => void [data.deltaContent.length, ephemeral]);
  const id: string = await session.send({ prompt: "p", attachments: [{ type: "file", path: "/a" }], mode: "enqueue" });
  const answer = await session.sendAndWait("hello", 1000);
  const text: string | undefined = answer?.data.content;
  await session.setModel("m", { reasoningEffort: "high" });
  await session.log("x", { level: "warning" });
  if (session.capabilities.ui?.elicitation) await session.ui.confirm("sure?");
  const { mode } = { mode: await session.rpc.mode.get() };
  await session.rpc.mode.set({ mode: "plan" });
  const { events } = await session.rpc.eventLog.read({ max: 5 });
  const first = (await session.getEvents())[0]?.timestamp;
  for (const { sessionId, startTime, modifiedTime, context } of await client.listSessions({ repository: "o/r" }))
    void [sessionId.length, startTime.getTime(), modifiedTime.getTime(), context?.branch];
  const unsubscribe = client.onLifecycle("session.deleted", (event) => void event.sessionId);
  const [last, meta] = [await client.getLastSessionId(), await client.getSessionMetadata("s")];
  const again = await client.resumeSession(last ?? "s", { onPermissionRequest: approveAll, continuePendingWork: true });
  for (const end of [stop, off, unsubscribe]) end();
  await again.disconnect();
  await client.deleteSession("s");
  const problems: Error[] = await client.stop();
  void [id, text, mode, events.length, first, meta?.summary, problems.length];
}`;
