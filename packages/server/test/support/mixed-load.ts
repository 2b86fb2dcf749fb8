/** What a server goes through in a day, in small: lives of sessions, each of seeded steps, and deleted at their ends. */
import { type RecordedModelRequest, type ScriptedReply, startScriptedModelServer } from "@rightseat/testing";
import { pick } from "./random.ts";
import { connectTcp, type WireClient } from "./wire-client.ts";

interface Life {
  readonly settings: object;
  client: WireClient;
  readonly port: number;
  readonly sessionId: string;
  readonly random: () => number;
}

const STEPS = {
  talk: (life: Life) => ask(life, `echo x${"x".repeat(life.random() * 2_000)}`),
  stream: (life: Life) => ask(life, "words 2000"),
  shell: (life: Life) => ask(life, "run: echo hello"),
  largeOutput: (life: Life) => ask(life, "run: seq 1 200000"),
  files: (life: Life) => ask(life, `run: printf %s ${"y".repeat(200)} > note.txt; cat note.txt`),
  subAgent: (life: Life) => ask(life, "delegate"),
  compact: async ({ client, sessionId }: Life) => {
    // With nothing to compact, this is refused.
    await client.request("session.history.compact", { sessionId }).catch(() => undefined);
  },
  rewind: async ({ client, sessionId }: Life) => {
    const { events } = await client.request("session.getMessages", { sessionId });
    const prompt = events.findLast(({ type }: { type: string }) => type === "user.message");
    if (prompt)
      await client
        .request("session.history.truncate", { sessionId, eventId: prompt.id })
        .catch(() => undefined);
  },
  read: async ({ client, sessionId }: Life) => {
    await client.request("session.eventLog.read", { sessionId, max: 100 });
    await client.request("session.list", {});
  },
  abort: async ({ client, sessionId }: Life) => {
    const before = client.of(sessionId).length;
    await client.request("session.send", { sessionId, prompt: "run: sleep 30" });
    await client.event(sessionId, "tool.execution_start", before);
    await client.request("session.abort", { sessionId });
    await client.event(sessionId, "session.idle", before);
  },
  loseConnection: async (life: Life) => {
    const { client, sessionId } = life;
    await client.request("session.send", { sessionId, prompt: "words 2000" });
    await client.close();
    life.client = await connectTcp(life.port);
    await life.client.request("session.resume", { sessionId, ...life.settings });
    await idle(life);
  },
  sleep: async () => {
    // Longer than the servers of these tests let a session be awake without use, and look for such ones.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  },
};

export type Step = keyof typeof STEPS;
const ALL_STEPS = Object.keys(STEPS) as Step[];

async function ask({ client, sessionId }: Life, prompt: string): Promise<void> {
  if ((await client.ask(sessionId, prompt)) === undefined)
    throw new Error(`${sessionId}: no answer to ${prompt.slice(0, 40)}`);
}

async function idle({ client, sessionId }: Life): Promise<void> {
  while ((await client.request("session.metadata.activity", { sessionId })).hasActiveWork)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

export interface MixedLoad extends AsyncDisposable {
  /** One session from its creation to its deletion. */
  live(sessionId: string, steps: readonly Step[], random: () => number): Promise<void>;
}

export async function startMixedLoad(port: number, workingDirectory: string): Promise<MixedLoad> {
  const model = await startScriptedModelServer({ script: reply });
  const settings = {
    model: "scripted",
    streaming: true,
    workingDirectory,
    infiniteSessions: { enabled: true },
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k", maxPromptTokens: 60_000 },
  };
  return {
    live: async (sessionId, steps, random) => {
      const life: Life = { settings, client: await connectTcp(port), port, sessionId, random };
      await life.client.request("session.create", { sessionId, ...settings });
      for (const step of steps) await STEPS[step](life);
      await life.client.request("session.delete", { sessionId });
      await life.client.close();
      model.forget();
    },
    [Symbol.asyncDispose]: () => model.close(),
  };
}

export function seededSteps(random: () => number, count: number): Step[] {
  return Array.from({ length: count }, () => pick(random, ALL_STEPS));
}

interface Message {
  readonly role: string;
  readonly content: unknown;
}

function reply({ body }: RecordedModelRequest): ScriptedReply | undefined {
  const messages = (body["messages"] ?? []) as Message[];
  const at = messages.findLastIndex(({ role }) => role === "user");
  const said = JSON.stringify(messages[at]?.content ?? "");
  if (said.includes("detailed summary")) return { text: "<overview>A day.</overview>" };
  if (messages.slice(at).some(({ role }) => role === "tool")) return { text: "done" };
  const command = /run: (.*?)"?$/.exec(said)?.[1];
  if (command) return { toolCalls: [{ name: "bash", arguments: { command, description: "runs" } }] };
  if (said.includes("delegate")) return { toolCalls: [{ name: "task", arguments: TASK }] };
  return undefined;
}

const TASK = { agent_type: "general-purpose", name: "worker", description: "Does it", prompt: "words 500" };
