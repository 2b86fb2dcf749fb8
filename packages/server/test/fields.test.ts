/**
 * Every field of what clients send, nested ones too, is honoured, refused by name, or told to have no effect.
 * The fields are read from the wire's schemas: one that is new there and in no table of
 * `src/session/members/` fails here.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { knownFields, paramsValidators } from "@rightseat/protocol/validators";
import { type ScriptedModelServer, startScriptedModelServer } from "@rightseat/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  asksForSomething,
  checkFields,
  type FieldRule,
  type FieldRules,
  honoured,
  within,
} from "../src/session/members/field-rules.ts";
import {
  ADD_PROVIDERS_FIELDS,
  PERMISSION_FIELDS,
  SET_TOOLS_FIELDS,
  SUBAGENT_FIELDS,
} from "../src/session/members/nested-fields.ts";
import { FLEET_FIELDS, SEND_FIELDS, SEND_MESSAGES_FIELDS } from "../src/session/members/prompt-fields.ts";
import { PublishedFields, WITH_OWN_TABLE } from "../src/session/members/published-fields.ts";
import { JOIN_FIELDS, OPTION_FIELDS } from "../src/session/members/session-fields.ts";
import { startServer, type TempHome, type TestServer, tempHome } from "./support/servers.ts";
import type { WireClient } from "./support/wire-client.ts";
import { branchesOf, type Located, paramsSchemaOf, propertiesOf, sampleOf } from "./support/wire-schemas.ts";

const TABLES: Readonly<Record<string, FieldRules>> = {
  "session.create": JOIN_FIELDS,
  "session.resume": JOIN_FIELDS,
  "session.options.update": OPTION_FIELDS,
  "session.send": SEND_FIELDS,
  "session.sendAndWait": SEND_FIELDS,
  "session.sendMessages": SEND_MESSAGES_FIELDS,
  "session.fleet.start": FLEET_FIELDS,
  "session.provider.add": ADD_PROVIDERS_FIELDS,
  "session.tools.set": SET_TOOLS_FIELDS,
  "session.tools.updateSubagentSettings": SUBAGENT_FIELDS,
  "session.permissions.configure": PERMISSION_FIELDS,
};

interface Cell {
  /** With `[0]` for an object of a list, and `.any` for one of a map. */
  readonly path: string;
  readonly schema: Located;
  /** Undefined when no table has the field. */
  readonly rule: FieldRule | undefined;
  /** Parameters with nothing but this field in them, and what says which of a union's objects it is in. */
  readonly wrap: (value: unknown) => Record<string, unknown>;
}

/** Every field of the schema that can be reached through what is honoured. */
function cellsOf(method: string): Cell[] {
  const cells: Cell[] = [];
  visit(cells, paramsSchemaOf(method), TABLES[method] as FieldRules, "", (value) => value as never);
  return cells;
}

function visit(
  cells: Cell[],
  schema: Located,
  fields: FieldRules | ((value: Record<string, unknown>) => FieldRules),
  at: string,
  wrap: (object: object) => Record<string, unknown>,
): void {
  for (const { tags, properties } of propertiesOf(schema)) {
    const rules = typeof fields === "function" ? fields(tags) : fields;
    for (const [name, property] of Object.entries(properties)) {
      const path = at === "" ? name : `${at}.${name}`;
      const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
      const wrapField = (value: unknown) => wrap({ ...tags, [name]: value });
      if (cells.some((cell) => cell.path === path && cell.rule === rule && tags.type === undefined)) continue;
      cells.push({ path, schema: property, rule, wrap: wrapField });
      const nested = rule?.effect === "honoured" ? rule.nested : undefined;
      const inner = property.objects();
      if (inner === undefined) continue;
      if (!nested) {
        if (rule?.effect === "honoured")
          cells.push({ path: `${path}.*`, schema: inner.schema, rule: undefined, wrap: wrapField });
        continue;
      }
      const place = { list: "[0]", map: ".any", object: "" }[inner.kind];
      const wrapObject = (object: object) =>
        wrapField(inner.kind === "list" ? [object] : inner.kind === "map" ? { any: object } : object);
      visit(cells, inner.schema, nested.fields, `${path}${place}`, wrapObject);
    }
  }
}

/** A value that asks for something by the field; undefined when no value does. */
function asking(cell: Cell): unknown {
  const rule = cell.rule as Extract<FieldRule, { why: string }>;
  const asks = rule.asks ?? asksForSomething;
  const sample = sampleOf(cell.schema);
  return [sample, ...cell.schema.values(), false, true].find((value) => value !== undefined && asks(value));
}

const testsText = readTests(fileURLToPath(new URL("..", import.meta.url)));

function readTests(folder: string): string {
  const files = ["src", "test"].flatMap((under) =>
    readdirSync(join(folder, under), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts") && !name.endsWith("fields.test.ts"))
      .map((name) => readFileSync(join(folder, under, name), "utf8")),
  );
  return files.join("\n");
}

describe.each(Object.keys(TABLES))("%s", (method) => {
  const cells = cellsOf(method);
  const rules = TABLES[method] as FieldRules;

  test("has every field of its schema in a table", () => {
    expect(cells.length).toBeGreaterThan(0);
    expect(cells.filter(({ rule }) => rule === undefined).map(({ path }) => path)).toEqual([]);
  });

  test("has a test for every nested field that is honoured", () => {
    const honoured = cells.filter(({ path, rule }) => rule?.effect === "honoured" && path.includes("."));
    const names = new Set(honoured.map(({ path }) => path.split(".").at(-1) as string));
    const untested = [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(testsText));
    expect(untested).toEqual([]);
  });

  const asked = cells.filter(({ rule }) => rule !== undefined && rule.effect !== "honoured");
  test.runIf(asked.length > 0).each(asked)("$rule.effect: $path", (cell) => {
    const value = asking(cell);
    if (value === undefined) {
      expect(checkFields(method, cell.wrap(sampleOf(cell.schema)), rules)).toEqual([]);
    } else if (cell.rule?.effect === "refused") {
      expect(() => checkFields(method, cell.wrap(value), rules)).toThrow(
        expect.objectContaining({
          reason: "not_supported",
          data: expect.objectContaining({ path: cell.path }),
          message: expect.stringContaining(`'${cell.path}'`),
        }),
      );
    } else {
      const { why } = cell.rule as Extract<FieldRule, { why: string }>;
      expect(checkFields(method, cell.wrap(value), rules)).toEqual([`'${cell.path}' ${why}`]);
    }
  });
});

describe.each(["session.create", "session.resume", "session.provider.add", "session.tools.set"])(
  "%s",
  (method) => {
    const bounded = cellsOf(method).filter(({ rule }) => rule?.effect === "honoured" && rule.maxChars);
    test.each(bounded)("refuses more than so many characters: $path", ({ path, rule, wrap }) => {
      const { maxChars } = rule as { maxChars: number };
      const rules = TABLES[method] as FieldRules;
      expect(checkFields(method, wrap("x".repeat(maxChars)), rules)).toEqual([]);
      expect(() => checkFields(method, wrap("x".repeat(maxChars + 1)), rules)).toThrow(
        expect.objectContaining({ reason: "invalid_params", data: { path } }),
      );
    });
  },
);

describe("counts", () => {
  const counts = Object.keys(TABLES).flatMap((method) =>
    cellsOf(method)
      .filter(({ rule }) => rule?.effect === "honoured" && rule.isCount)
      .map((cell) => ({ method, ...cell })),
  );
  test.each(counts)("$method $path is a whole number from 0 up", ({ method, path, wrap }) => {
    const rules = TABLES[method] as FieldRules;
    for (const value of [0, 1, 2 ** 31]) expect(checkFields(method, wrap(value), rules)).toEqual([]);
    for (const value of [-1, 0.5, 1e308])
      expect(() => checkFields(method, wrap(value), rules)).toThrow(
        expect.objectContaining({ reason: "invalid_params", data: { path } }),
      );
  });
});

describe("methods without a table of their own", () => {
  const fields = new PublishedFields(knownFields, { checkFields, honoured, within });
  const methods = Object.keys(paramsValidators).filter((method) => !WITH_OWN_TABLE.has(method));

  test("are all but those that have one here", () => {
    const own = [...WITH_OWN_TABLE].filter(
      (method) => !["connect", "session.provider.sync"].includes(method),
    );
    expect(own.sort()).toEqual(Object.keys(TABLES).sort());
  });

  test.each(methods.filter((method) => Object.hasOwn(knownFields.places, method)))(
    "%s knows the fields of its schema, in objects too, and tells of others",
    (method) => {
      const schema = paramsSchemaOf(method);
      for (const { tags, properties } of propertiesOf(schema)) {
        const known = Object.entries(properties).map(([name, property]) => [name, emptyOf(property)]);
        expect(fields.unknownIn(method, { ...Object.fromEntries(known), ...tags })).toEqual([]);
        for (const [name, property] of Object.entries(properties)) {
          const inner = property.objects();
          if (inner?.kind !== "object" || isOpen(property)) continue;
          expect(fields.unknownIn(method, { [name]: { later: 1 } })).toEqual([
            `'${name}.later' is not known to this version of the server`,
          ]);
        }
      }
      expect(fields.unknownIn(method, { later: 1 })).toEqual([
        "'later' is not known to this version of the server",
      ]);
    },
  );
});

/** A sample of it, without fields. */
function emptyOf(property: Located): unknown {
  const sample = sampleOf(property);
  return typeof sample === "object" && !Array.isArray(sample) ? {} : sample;
}

/** Whether a branch of it takes fields that are not named. */
function isOpen(property: Located): boolean {
  return branchesOf(property).some(
    ({ schema }) =>
      Object.keys(schema).every((key) => ["description", "title"].includes(key)) ||
      schema["x-opaque-in-process"] === true ||
      (schema.additionalProperties !== undefined && schema.additionalProperties !== false),
  );
}

describe("over the wire", () => {
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

  const provider = (more: object = {}) => ({
    type: "openai",
    baseUrl: `${model.url}/v1`,
    apiKey: "k",
    ...more,
  });
  const base = () => ({ sessionId: `f${made++}`, model: "scripted", provider: provider() });
  const create = async (fields: object = {}) => {
    const params = { ...base(), ...fields };
    await client.request("session.create", params);
    return params.sessionId;
  };
  const tool = { name: "mine", description: "d", parameters: { type: "object" } };
  const agent = { name: "a", prompt: "p" };

  test.each([
    {
      method: "session.create",
      fields: () => ({ provider: provider({ later: 1 }) }),
      path: "provider.later",
    },
    {
      method: "session.create",
      fields: { tools: [tool, { ...tool, name: "two", later: 1 }] },
      path: "tools[1].later",
    },
    {
      method: "session.create",
      fields: { customAgents: [{ ...agent, later: 1 }] },
      path: "customAgents[0].later",
    },
    { method: "session.create", fields: { infiniteSessions: { later: 1 } }, path: "infiniteSessions.later" },
    {
      method: "session.create",
      fields: { systemMessage: { mode: "customize", sections: { tone: { action: "remove", later: 1 } } } },
      path: "systemMessage.sections.tone.later",
    },
    { method: "session.resume", fields: { commands: [{ name: "c", later: 1 }] }, path: "commands[0].later" },
    { method: "session.options.update", fields: { capi: { later: 1 } }, path: "capi.later" },
    { method: "session.sendAndWait", fields: { prompt: "hi", later: 1 }, path: "later" },
    { method: "session.send", fields: { prompt: "hi", later: 1 }, path: "later" },
    {
      method: "session.send",
      fields: {
        prompt: "hi",
        attachments: [{ type: "file", path: "/none", lineRange: { start: 1, end: 2, later: 1 } }],
      },
      path: "attachments[0].lineRange.later",
    },
    {
      method: "session.sendMessages",
      fields: { messages: [{ prompt: "hi", later: 1 }] },
      path: "messages[0].later",
    },
    { method: "session.fleet.start", fields: { prompt: "hi", later: 1 }, path: "later" },
    { method: "session.tools.set", fields: { tools: [{ ...tool, later: 1 }] }, path: "tools[0].later" },
    {
      method: "session.tools.updateSubagentSettings",
      fields: { subagents: { agents: { a: { later: 1 } } } },
      path: "subagents.agents.a.later",
    },
    {
      method: "session.tools.updateSubagentSettings",
      fields: { subagents: { "general-purpose": { model: "m" } } },
      path: "subagents.general-purpose",
    },
    { method: "session.permissions.configure", fields: { later: 1 }, path: "later" },
  ])("$method tells its client that $path is not known", async ({ method, fields, path }) => {
    const given = typeof fields === "function" ? fields() : fields;
    const sessionId = method === "session.create" ? await create(given) : await create().then((id) => id);
    if (method !== "session.create")
      await client.request(method, {
        sessionId,
        ...(method === "session.resume" ? { provider: provider() } : {}),
        ...given,
      });
    const warning = await client.event(sessionId, "session.warning");
    expect(warning).toMatchObject({ ephemeral: true, data: { warningType: "unsupported_options" } });
    expect(warning.data.message).toContain(`'${path}' is not known to this version of the server`);
  });

  test.each([
    {
      method: "session.queue.insertAt",
      params: { position: 0, message: { prompt: "hi", later: 1 } },
      path: "message.later",
    },
    {
      method: "session.tasks.startAgent",
      params: { agentType: "task", name: "n", description: "d", prompt: "p" },
    },
    { method: "session.model.switchTo", params: { modelId: "scripted" } },
    {
      method: "session.model.switchTo",
      params: { modelId: "scripted", modelCapabilities: { supports: { vision: true, later: 1 } } },
      path: "modelCapabilities.supports.later",
    },
    { method: "session.mode.set", params: { mode: "plan" } },
    { method: "session.agent.select", params: { name: "none" } },
    { method: "session.permissions.setMode", params: { mode: "allow-all" } },
    {
      method: "session.tools.handlePendingToolCall",
      params: { requestId: "none", result: { textResultForLlm: "x", later: 1 } },
      path: "result.later",
    },
    { method: "session.name.set", params: { name: "n" } },
  ])("$method tells of a field that no schema knows", async ({ method, params, path }) => {
    const sessionId = await create();
    const given = path === undefined ? { ...params, later: 1 } : params;
    // What is wrong with the call besides is another matter.
    await client.request(method, { sessionId, ...given }).catch(() => undefined);
    const warning = await client.event(sessionId, "session.warning");
    expect(warning).toMatchObject({ ephemeral: true, data: { warningType: "unsupported_options" } });
    expect(warning.data.message).toContain(`'${path ?? "later"}' is not known to this version of the server`);
  });

  test("of a session that its client is not attached to, and of the server, the log has a line", async () => {
    await client.request("tools.list", { later: 1 });
    expect(server.log.map(({ message, fields }) => ({ message, fields }))).toContainEqual({
      message: "fields of a call are not known and have no effect",
      fields: expect.objectContaining({
        method: "tools.list",
        fields: ["'later' is not known to this version of the server"],
      }),
    });
  });

  test("session.provider.add tells of what is not known in a provider", async () => {
    const sessionId = `f${made++}`;
    const providers = [{ ...provider(), name: "one" }];
    const models = [{ provider: "one", id: "m" }];
    await client.request("session.create", { sessionId, providers, models, model: "one/m" });
    await client.request("session.provider.add", {
      sessionId,
      providers: [{ ...provider(), name: "two", later: 1 }],
    });
    expect((await client.event(sessionId, "session.warning")).data.message).toContain("'providers[0].later'");
  });

  test.each([
    { method: "session.create", fields: { sandboxConfig: { enabled: true } }, path: "sandboxConfig" },
    { method: "session.create", fields: { sandboxConfig: { allowBypass: false } }, path: "sandboxConfig" },
    {
      method: "session.create",
      fields: { enforceManagedModelDefaults: true },
      path: "enforceManagedModelDefaults",
    },
    {
      method: "session.create",
      fields: { customAgents: [agent, { ...agent, name: "b", hooks: { preToolUse: [{ bash: "x" }] } }] },
      path: "customAgents[1].hooks",
    },
    {
      method: "session.create",
      fields: () => ({ provider: provider({ entra: { tenantId: "t" } }) }),
      path: "provider.entra",
    },
    {
      method: "session.create",
      fields: () => ({ provider: provider({ apiKeyCommand: "x" }) }),
      path: "provider.apiKeyCommand",
    },
    { method: "session.create", fields: { sessionLimits: { maxTurns: 3 } }, path: "sessionLimits.maxTurns" },
    { method: "session.resume", fields: { sandboxConfig: { enabled: true } }, path: "sandboxConfig" },
    { method: "session.resume", fields: { allowTranscriptRecovery: false }, path: "allowTranscriptRecovery" },
    { method: "session.send", fields: { prompt: "hi", requiredTool: "bash" }, path: "requiredTool" },
    {
      method: "session.sendMessages",
      fields: { messages: [{ prompt: "hi", requiredTool: "bash" }] },
      path: "messages[0].requiredTool",
    },
    {
      method: "session.permissions.configure",
      fields: { paths: { additionalDirectories: [], readOnlyDirectories: ["/a"] } },
      path: "paths.readOnlyDirectories",
    },
    {
      method: "session.permissions.configure",
      fields: { rules: { approved: [{ kind: "read", argument: null, except: "/secret" }], denied: [] } },
      path: "rules.approved[0].except",
    },
  ])("$method refuses $path by name, and nothing of the call is done", async ({ method, fields, path }) => {
    const given = typeof fields === "function" ? fields() : fields;
    const sessionId = method === "session.create" ? `f${made++}` : await create();
    const context = method === "session.create" || method === "session.resume" ? base() : {};
    await expect(client.request(method, { ...context, ...given, sessionId })).rejects.toMatchObject({
      message: expect.stringContaining(`'${path}'`),
      data: { reason: "not_supported", path },
    });
    expect(client.of(sessionId).map(({ type }) => type)).not.toContain("user.message");
    if (method === "session.create")
      await expect(client.request("session.getMessages", { sessionId })).rejects.toMatchObject({
        data: { reason: "session_not_found" },
      });
  });

  test("the same field of many tools is named once, and a hundred fields at most", async () => {
    const tools = Array.from({ length: 50 }, (_, n) => ({ ...tool, name: `t${n}`, later: n }));
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`later${n}`, n]));
    const sessionId = await create({ tools, ...many });
    const { message } = (await client.event(sessionId, "session.warning")).data;
    expect(message.match(/'tools\[/g)).toHaveLength(1);
    expect(message.match(/is not known/g)).toHaveLength(100);
    expect(message).toContain("401 more are not named here");
  });

  test("what asks for what is so already is taken in silence", async () => {
    const sessionId = await create({
      sandboxConfig: { enabled: false },
      hookDirectories: [],
      enforceManagedModelDefaults: false,
      provider: provider({ transport: "http" }),
      customAgents: [{ ...agent, hooks: {}, modelPolicy: "preferred", mcpServers: {}, skills: [] }],
    });
    await client.request("session.resume", { ...base(), sessionId, allowTranscriptRecovery: true });
    await client.ask(sessionId, "hi");
    expect(client.of(sessionId).filter(({ type }) => type === "session.warning")).toEqual([]);
  });

  test("connect refuses 'entra', and the log names what it does not know", async () => {
    const other = await server.connect();
    await expect(other.request("connect", { entra: { clientId: "c" } })).rejects.toMatchObject({
      code: -32601,
      data: { reason: "not_supported", path: "entra" },
    });
    await other.request("connect", { laterOnly: true, clientInfo: { editorName: "e" } });
    expect(server.log.map(({ fields }) => fields.fields)).toContainEqual(["laterOnly"]);
    await other.close();
  });
});
