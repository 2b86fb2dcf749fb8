/** Clients with hooks, for tests over the bare wire. */
import { type ScriptedModelServer, startScriptedModelServer, withoutTime } from "@rightseat/testing";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { startServer, type TempHome, type TestServer, tempHome } from "./servers.ts";
import type { WireClient } from "./wire-client.ts";

// biome-ignore lint/suspicious/noExplicitAny: inputs and outputs of hooks, of which each test looks at some fields
export type Fields = any;
/** What a client's hook answers; a function is given the input. */
export type Hooks = Record<string, Fields | ((input: Fields) => Fields)>;
export type Asked = { readonly hookType: string; readonly input: Fields }[];

export const lookup = {
  name: "lookup",
  description: "Looks a value up",
  parameters: { type: "object", properties: {} },
  skipPermission: true,
};

/** The model asks for `lookup`. */
export const callLookup = (args: object = { key: "a" }) => ({
  toolCalls: [{ name: "lookup", arguments: args }],
});

/** Answers the client's hooks; what they were asked goes into the list that is returned. */
export function answer(who: WireClient, hooks: Hooks): Asked {
  const asked: Asked = [];
  who.answers.set("hooks.invoke", async ({ hookType, input }: Fields) => {
    asked.push({ hookType, input });
    const hook = hooks[hookType];
    const output = typeof hook === "function" ? await hook(input) : hook;
    return output === undefined ? {} : { output };
  });
  return asked;
}

/** Runs the client's tools, until it goes: each call is answered by what the function makes of its arguments. */
export function runTools(who: WireClient, run: (args: Fields) => unknown): void {
  const answered = new Set<string>();
  const next = () =>
    [...who.events.values()]
      .flat()
      .find(({ type, data }) => type === "external_tool.requested" && !answered.has(data.requestId));
  const watch = async () => {
    for (;;) {
      const event = await who.until(next).catch(() => undefined);
      if (!event) return;
      const { requestId, sessionId, arguments: args } = event.data;
      answered.add(requestId);
      await who.request("session.tools.handlePendingToolCall", { sessionId, requestId, result: run(args) });
    }
  };
  void watch();
}

/** A server and a model for the tests of a file, and a client for each test. */
export class HookWorld {
  home!: TempHome;
  server!: TestServer;
  model!: ScriptedModelServer;
  client!: WireClient;
  #made = 0;

  get settings() {
    const provider = { type: "openai", baseUrl: `${this.model.url}/v1`, apiKey: "k" };
    return { model: "scripted", provider, workingDirectory: this.home.work, hooks: true };
  }

  async create(hooks: Hooks, more: object = {}): Promise<{ sessionId: string; asked: Asked }> {
    const sessionId = `hooked-${this.#made++}`;
    const asked = answer(this.client, hooks);
    await this.client.request("session.create", { ...this.settings, sessionId, ...more });
    return { sessionId, asked };
  }

  typesOf(sessionId: string): string[] {
    return this.client.of(sessionId).map((event) => event.type);
  }

  dataOf(sessionId: string, type: string): Fields[] {
    const events = this.client.of(sessionId).filter((event) => event.type === type);
    return events.map((event) => event.data);
  }

  /** The conversation that the model was last asked with, without the system message and the times. */
  told(): string[] {
    const messages = (this.model.requests.at(-1)?.body.messages ?? []) as Fields[];
    return messages
      .filter(({ role }) => role !== "system")
      .map(({ role, content, tool_calls: calls }) =>
        calls
          ? `calls ${calls.map((call: Fields) => call.function.arguments).join(" ")}`
          : `${role}: ${withoutTime(String(content))}`,
      );
  }
}

export function useHookWorld(): HookWorld {
  const world = new HookWorld();
  beforeAll(async () => {
    world.home = await tempHome();
    world.model = await startScriptedModelServer();
    world.server = await startServer(world.home.path);
  });
  beforeEach(async () => {
    world.model.use(undefined);
    world.client = await world.server.connect();
    return () => world.client.close();
  });
  afterAll(async () => {
    await world.server.shutdown();
    await world.model.close();
    await world.home[Symbol.asyncDispose]();
  });
  return world;
}
