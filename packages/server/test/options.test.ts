/**
 * Every field that a session can be made, resumed or changed with takes effect, or is refused by name, or
 * has no effect, which its client is told. The tables are in `src/session/members/session-fields.ts`; a field that
 * is honoured has a proof here.
 */
import { readFile } from "node:fs/promises";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asksForSomething, type FieldRule, type FieldRules } from "../src/session/members/field-rules.ts";
import { JOIN_FIELDS, OPTION_FIELDS } from "../src/session/members/session-fields.ts";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";

type Params = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: a request's body, of which each proof looks at one field
type Body = any;

let home: TempHome;
let model: ScriptedModelServer;
let server: TestServer;
let client: WireClient;
let made = 0;

beforeAll(async () => {
  home = await tempHome();
  model = await startScriptedModelServer();
  server = await startServer(home.path);
  client = await server.connect();
});

afterAll(async () => {
  await client.close();
  await server.shutdown();
  await model.close();
  await home[Symbol.asyncDispose]();
});

const provider = (more: Params = {}) => ({
  type: "openai",
  baseUrl: `${model.url}/v1`,
  apiKey: "k",
  ...more,
});

/** Makes a session with these fields. */
async function create(fields: Params = {}): Promise<string> {
  const sessionId = `s${made++}`;
  await client.request("session.create", {
    sessionId,
    model: "scripted",
    provider: provider(),
    ...fields,
  });
  return sessionId;
}

/** What the model is asked after one prompt to the session. */
async function asked(sessionId: string, prompt = "hi"): Promise<Body> {
  await client.ask(sessionId, prompt);
  return model.requests.at(-1)?.body;
}

const toolNames = (body: Body): string[] =>
  (body.tools ?? []).map((tool: Body) => tool.function?.name ?? tool.name);

const tool = (name: string) => ({ name, description: "d", parameters: { type: "object", properties: {} } });

/** Shows what a field does; or names the test file that does, in which the field must occur. */
type Proof = (() => Promise<void>) | string;

const JOIN_PROOFS: Record<string, Proof> = {
  name: "test/newest-options.test.ts",
  agentDirectories: "test/newest-options.test.ts",
  hookDirectories: "test/newest-options.test.ts",
  autopilot: "test/newest-options.test.ts",
  trustWorkingDirectory: "test/newest-options.test.ts",
  refreshCustomInstructions: "test/newest-options.test.ts",
  sessionId: async () => {
    expect(await create({ sessionId: "mine" })).toMatch(/^s/);
    expect(client.of("mine").map((event) => event.type)).toContain("session.start");
  },
  model: async () => expect(await asked(await create({ model: "other" }))).toMatchObject({ model: "other" }),
  clientName: async () => {
    const sessionId = await create({ clientName: "a-client" });
    const { session } = await client.request("session.getMetadata", { sessionId });
    expect(session).toMatchObject({ clientName: "a-client" });
  },
  reasoningEffort: async () =>
    expect(await asked(await create({ reasoningEffort: "high" }))).toMatchObject({
      reasoning_effort: "high",
    }),
  reasoningSummary: async () => {
    const responses = provider({ wireApi: "responses" });
    const body = await asked(await create({ provider: responses, reasoningSummary: "concise" }));
    expect(body.reasoning).toMatchObject({ summary: "concise" });
  },
  tools: async () =>
    expect(toolNames(await asked(await create({ tools: [tool("mine")] })))).toContain("mine"),
  systemMessage: async () => {
    const body = await asked(await create({ systemMessage: { mode: "replace", content: "Be brief." } }));
    expect(body.messages[0]).toEqual({ role: "system", content: "Be brief." });
  },
  availableTools: async () =>
    expect(toolNames(await asked(await create({ availableTools: ["view"] })))).toEqual(["view"]),
  excludedTools: async () =>
    expect(toolNames(await asked(await create({ excludedTools: ["view"] })))).not.toContain("view"),
  toolFilterPrecedence: async () => {
    const both = { availableTools: ["view", "grep"], excludedTools: ["view"] };
    const names = async (toolFilterPrecedence: string) =>
      toolNames(await asked(await create({ ...both, toolFilterPrecedence }))).sort();
    expect(await names("excluded")).toEqual(["grep"]);
    expect(await names("available")).toEqual(["grep", "view"]);
  },
  provider: async () => {
    await asked(await create({ provider: provider({ headers: { "x-mine": "1" } }) }));
    expect(model.requests.at(-1)?.headers["x-mine"]).toBe("1");
  },
  providers: async () => provesRegistry(),
  models: async () => provesRegistry(),
  capi: "src/session/open/model-query.test.ts",
  gitHubToken: "test/sessions.test.ts",
  gitHubTokenProviderRegistrationId: "test/github-auth.test.ts",
  requestPermission: "test/told-at-joining.test.ts",
  toolSearch: "test/tool-choice.test.ts",
  requestElicitation: "test/elicitation.test.ts",
  requestUserInput: "test/user-input.test.ts",
  requestExitPlanMode: "test/modes.test.ts",
  requestAutoModeSwitch: "test/modes.test.ts",
  commands: "test/commands.test.ts",
  hooks: "test/hooks.test.ts",
  enableFileHooks: "test/hooks-from-files.test.ts",
  workingDirectory: async () => {
    const sessionId = await create({ workingDirectory: home.work });
    expect((await client.event(sessionId, "session.start")).data.context.cwd).toBe(home.work);
  },
  streaming: async () => {
    const sessionId = await create({ streaming: true });
    expect(await asked(sessionId)).toMatchObject({ stream: true });
    await client.event(sessionId, "assistant.message_delta");
  },
  defaultAgent: async () => {
    const body = await asked(await create({ defaultAgent: { excludedTools: ["view"] } }));
    expect(toolNames(body)).not.toContain("view");
  },
  instructionDirectories: "test/system-message.test.ts",
  organizationCustomInstructions: "test/system-message.test.ts",
  enableHostGitOperations: "test/system-message.test.ts",
  infiniteSessions: "test/compaction.test.ts",
  sessionLimits: "test/session-limits.test.ts",
  enableFileChangeTracking: "test/rewind.test.ts",
  skipCustomInstructions: "test/system-message.test.ts",
  enableOnDemandInstructionDiscovery: "test/system-message.test.ts",
  disabledInstructionSources: "test/system-message.test.ts",
  customAgents: "test/agents.test.ts",
  agent: "test/agents.test.ts",
  excludedBuiltinAgents: "test/agents.test.ts",
  includeSubAgentStreamingEvents: "test/sub-agents.test.ts",
  enableConfigDiscovery: "test/agents.test.ts",
  modelCapabilities: "test/model-settings.test.ts",
  enableCitations: "test/model-settings.test.ts",
  additionalDirectories: "test/permissions.test.ts",
  managedSettings: "test/permissions.test.ts",
  largeOutput: "test/security.test.ts",
  continuePendingWork: "test/conversation.test.ts",
  disableResume: async () => {
    const sessionId = await create();
    await client.request("session.detach", { sessionId });
    await client.request("session.resume", { sessionId, disableResume: true });
    const { events } = await client.request("session.getMessages", { sessionId });
    expect(events.map((event: { type: string }) => event.type)).not.toContain("session.resume");
  },
};

async function provesRegistry(): Promise<void> {
  const sessionId = await create({
    provider: undefined,
    providers: [{ ...provider({ headers: { "x-mine": "2" } }), name: "acme" }],
    models: [{ provider: "acme", id: "m", wireModel: "wire-m" }],
    model: "acme/m",
  });
  expect(await asked(sessionId)).toMatchObject({ model: "wire-m" });
  expect(model.requests.at(-1)?.headers["x-mine"]).toBe("2");
}

/** A session whose options are then changed. */
async function updated(options: Params, fields: Params = {}): Promise<string> {
  const sessionId = await create(fields);
  expect(await client.request("session.options.update", { sessionId, ...options })).toEqual({
    success: true,
  });
  return sessionId;
}

const OPTION_PROOFS: Record<string, Proof> = {
  sessionLimits: "test/session-limits.test.ts",
  sessionId: async () => void (await updated({})),
  model: async () => {
    const sessionId = await updated({ model: "other" });
    expect(await asked(sessionId)).toMatchObject({ model: "other" });
    expect((await client.event(sessionId, "session.model_change")).data).toMatchObject({
      previousModel: "scripted",
      newModel: "other",
    });
  },
  reasoningEffort: async () =>
    expect(await asked(await updated({ reasoningEffort: "low" }))).toMatchObject({ reasoning_effort: "low" }),
  reasoningSummary: async () => {
    const fields = { provider: provider({ wireApi: "responses" }), reasoningEffort: "low" };
    const body = await asked(await updated({ reasoningSummary: "concise" }, fields));
    expect(body.reasoning).toMatchObject({ summary: "concise" });
  },
  clientName: async () => {
    const sessionId = await updated({ clientName: "renamed" });
    await client.ask(sessionId, "hi");
    const { session } = await client.request("session.getMetadata", { sessionId });
    expect(session).toMatchObject({ clientName: "renamed" });
  },
  provider: async () => {
    await asked(await updated({ provider: provider({ headers: { "x-mine": "3" } }) }));
    expect(model.requests.at(-1)?.headers["x-mine"]).toBe("3");
  },
  capi: "src/session/open/model-query.test.ts",
  workingDirectory: async () => {
    const sessionId = await updated({ workingDirectory: home.work });
    expect((await client.event(sessionId, "session.context_changed")).data.cwd).toBe(home.work);
  },
  availableTools: async () =>
    expect(toolNames(await asked(await updated({ availableTools: ["view"] })))).toEqual(["view"]),
  excludedTools: async () =>
    expect(toolNames(await asked(await updated({ excludedTools: ["view"] })))).not.toContain("view"),
  toolFilterPrecedence: async () => {
    const both = { availableTools: ["view"], excludedTools: ["view"], toolFilterPrecedence: "available" };
    expect(toolNames(await asked(await updated(both)))).toEqual(["view"]);
  },
  enableStreaming: async () => {
    expect(await asked(await updated({ enableStreaming: true }))).toMatchObject({ stream: true });
    const off = await updated({ enableStreaming: false }, { streaming: true });
    expect((await asked(off)).stream ?? false).toBe(false);
  },
  enableFileHooks: "test/hooks-from-files.test.ts",
  askUserDisabled: "src/session/abilities/tools/tool-set.test.ts",
  continueOnAutoMode: "test/modes.test.ts",
  skipCustomInstructions: "test/system-message.test.ts",
  enableOnDemandInstructionDiscovery: "test/system-message.test.ts",
  organizationCustomInstructions: "test/system-message.test.ts",
  disabledInstructionSources: "test/system-message.test.ts",
  enableHostGitOperations: "test/system-message.test.ts",
  modelCapabilitiesOverrides: "test/model-settings.test.ts",
  excludedBuiltinAgents: "test/agents.test.ts",
  includedBuiltinAgents: "test/agents.test.ts",
  suppressCustomAgentPrompt: "test/agents.test.ts",
};

/** For fields without effect: values that ask for something. `true` does for most. */
const SAMPLES: Params = {
  hookDirectories: ["/h"],
  excludedManagedSettings: ["sandbox"],
  allowTranscriptRecovery: false,
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=b",
  contextTier: "long_context",
  toolSearch: { enabled: true },
  canvases: [{ id: "c" }],
  canvasProvider: { id: "p" },
  openCanvases: [
    {
      instanceId: "i",
      canvasId: "c",
      providerId: "p",
      extensionId: "e",
      input: {},
      reopen: false,
      availability: "ready",
    },
  ],
  extensionSdkPath: "/sdk",
  extensionInfo: { source: "s", name: "n" },
  requestedEnvironmentVariables: ["A"],
  factories: [{}],
  commands: [{ name: "c" }],
  askUserVariant: "elicitation",
  authClientIdMetadataUrl: "http://127.0.0.1:1",
  sessionLimits: { maxAiCredits: 50 },
  mcpServers: { m: { type: "http", url: "http://127.0.0.1:1" } },
  githubMcpToolConfig: { enableAllTools: true },
  mcpOAuthTokenStorage: "persistent",
  envValueMode: "indirect",
  configDir: "/config",
  embeddingCacheStorage: "persistent",
  skillDirectories: ["/s"],
  pluginDirectories: ["/p"],
  memory: { enabled: true },
  remoteSession: "export",
  expAssignments: { a: "b" },
  cloud: { repository: { owner: "o", name: "n" } },
  verbosity: "low",
  lspClientName: "l",
  integrationId: "i",
  featureFlags: { f: true },
  shell: { initProfile: "none" },
  shellInitProfile: "NonInteractive",
  shellProcessFlags: ["-f"],
  includedBuiltinSkills: ["s"],
  maxInlineBinaryBytes: 1,
  installedPlugins: [
    { name: "p", marketplace: "m", installed_at: "2026-01-01T00:00:00Z", enabled: true, source: "a/b" },
  ],
  trajectoryFile: "/t",
  agentContext: "cli",
  eventsLogDirectory: "/e",
  sessionCapabilities: ["memory"],
  sandboxConfig: { enabled: true },
  copilotUrl: "http://127.0.0.1:1",
  additionalContentExclusionPolicies: [{ rules: [], last_updated_at: "", scope: "all" }],
};
const sampleOf = (name: string): unknown => SAMPLES[name] ?? true;

const fieldsOf = (rules: FieldRules, effect: FieldRule["effect"]) =>
  Object.entries(rules)
    .filter(([, rule]) => rule.effect === effect)
    .map(([name]) => name);

/** The fields without effect, less those of which there is nothing to warn. */
const warnedOf = (rules: FieldRules) =>
  fieldsOf(rules, "none").filter((name) => {
    const rule = rules[name] as Extract<FieldRule, { why: string }>;
    return (rule.asks ?? asksForSomething)(sampleOf(name));
  });

const namesIn = (message: string) =>
  [...message.matchAll(/'(\w+)'(?= has no effect)/g)].map((match) => match[1]);

const samples = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, sampleOf(name)] as const));

describe.each([
  { method: "session.create", rules: JOIN_FIELDS as FieldRules, proofs: JOIN_PROOFS },
  { method: "session.options.update", rules: OPTION_FIELDS as FieldRules, proofs: OPTION_PROOFS },
])("$method", ({ method, rules, proofs }) => {
  const call = async (fields: Params) => {
    if (method === "session.create") {
      const sessionId = `s${made++}`;
      await client.request(method, { ...fields, sessionId, model: "scripted", provider: provider() });
      return sessionId;
    }
    return updated(fields);
  };

  test("has a proof for every field that is honoured, and for no other", () => {
    expect(Object.keys(proofs).sort()).toEqual(fieldsOf(rules, "honoured").sort());
  });

  test.each(Object.entries(proofs))("honours %s", async (name, proof) => {
    if (typeof proof !== "string") return proof();
    expect(await readFile(new URL(`../${proof}`, import.meta.url), "utf8")).toMatch(
      new RegExp(`\\b${name}\\b`),
    );
  });

  test("names every field that has no effect in one warning", async () => {
    const names = warnedOf(rules);
    const sessionId = await call(samples(names));
    const warning = await client.event(sessionId, "session.warning");
    expect(warning).toMatchObject({ ephemeral: true, data: { warningType: "unsupported_options" } });
    expect(namesIn(warning.data.message).sort()).toEqual([...names].sort());
  });

  test("says nothing when a field asks for what is so already", async () => {
    const off = Object.fromEntries(
      warnedOf(rules).flatMap((name) => (sampleOf(name) === true ? [[name, false]] : [])),
    );
    const sessionId = await call(off);
    await client.ask(sessionId, "hi");
    expect(client.of(sessionId).filter((event) => event.type === "session.warning")).toEqual([]);
  });

  test.each(fieldsOf(rules, "refused"))("refuses %s by name", async (name) => {
    await expect(call({ [name]: sampleOf(name) })).rejects.toMatchObject({
      message: expect.stringContaining(`'${name}'`),
      data: { reason: "not_supported", path: name },
    });
  });

  test("warns of a field that it does not know", async () => {
    const sessionId = await call({ inventedLater: true });
    const warning = await client.event(sessionId, "session.warning");
    expect(warning.data.message).toContain("'inventedLater' is not known");
  });
});

test("the fields that the official SDK sends are all in the table", async () => {
  const source = await readFile(new URL("client.js", import.meta.resolve("@github/copilot-sdk")), "utf8");
  for (const method of ["session.create", "session.resume"]) {
    const call = source.slice(source.indexOf(`sendRequest("${method}"`));
    const literal = call.slice(0, call.indexOf("\n      });"));
    const sent = [...literal.matchAll(/^ {8}(\w+)(?:,|:)/gm)].map((match) => match[1] as string);
    expect(sent.length).toBeGreaterThan(50);
    expect(sent.filter((name) => !Object.hasOwn(JOIN_FIELDS, name))).toEqual([]);
  }
});

test("a warning goes to the client whose options it is about, and to no other", async () => {
  const sessionId = await create();
  const other = await server.connect();
  await other.request("session.resume", { sessionId, provider: provider(), memory: { enabled: true } });
  await other.event(sessionId, "session.warning");
  await client.ask(sessionId, "hi");
  expect(client.of(sessionId).filter((event) => event.type === "session.warning")).toEqual([]);
  await other.close();
});
