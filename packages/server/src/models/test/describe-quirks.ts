import {
  collect,
  type ScriptedModelServer,
  type ScriptedReply,
  startScriptedModelServer,
} from "@rightseat/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AnyProviderSettings, createProvider } from "../create-provider.ts";
import {
  type ModelAnswer,
  ModelError,
  type ModelMessage,
  type ModelProvider,
  type ModelRequest,
} from "../model-provider.ts";
import { COPILOT_MODELS, HOSTS, type Host, KEY, type Wire } from "./hosts.ts";

/** A value for each wire that can have the quirk, or one for all of them. */
export type ByWire<T> = T | Partial<Record<Wire, T>>;

/** Something that a provider sends otherwise than the wire's description has it. */
export interface QuirkIn {
  /** A fact, as the title of a test. */
  readonly quirk: string;
  /** Providers and servers that do it, by name. */
  readonly seenAt: string;
  readonly sends: Partial<Record<Wire, ScriptedReply>>;
  readonly request?: Partial<ModelRequest>;
  /** A setting of the provider. */
  readonly idleTimeoutMs?: number;
  /** Parts of the answer, or of the failure. Only the given parts are compared. */
  readonly gives: ByWire<{ readonly answer: unknown } | { readonly error: unknown }>;
  /** The deltas of the answer's text, when they matter. */
  readonly deltas?: readonly string[];
}

/** Something that a provider refuses although the wire's description has it, or wants sent back. */
export interface QuirkOut {
  readonly quirk: string;
  readonly seenAt: string;
  /** An answer that the provider gave before. It, and a result for each of its calls, begin the conversation. */
  readonly after?: Partial<Record<Wire, ScriptedReply>>;
  readonly request?: Partial<ModelRequest>;
  /** What the provider refuses the body for; undefined when it takes it. Wires left out have no such quirk. */
  readonly refuses: ByWire<(body: Body) => unknown>;
  /** Hosts that have the quirk, where that is not all of a wire. */
  readonly hosts?: (host: Host) => boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a body is looked into wherever the quirk is
export type Body = any;

/** One test for each quirk and host: the provider sends this, and that comes of it. */
export function describeQuirksIn(quirks: readonly QuirkIn[]): void {
  describe.each(quirks)("$quirk ($seenAt)", ({ sends, request, gives, deltas, idleTimeoutMs }) => {
    const world = useScriptedServer();
    it.each(HOSTS.filter(({ wire }) => sends[wire] !== undefined))("$name", async (host) => {
      world.server.use([sends[host.wire] as ScriptedReply]);
      const outcome = await ask(host, world.server, request ?? {}, idleTimeoutMs);
      expect(outcome).toMatchObject(of(gives, host.wire) as object);
      if (deltas) expect(outcome.deltas).toEqual(deltas);
      expect(world.server.requests).toHaveLength(1);
    });
  });
}

/** Something that a provider refuses in words of its own, and takes when it is made otherwise. */
export interface QuirkRefused {
  readonly quirk: string;
  readonly seenAt: string;
  readonly request?: Partial<ModelRequest>;
  /** The answer to a body that has what is refused; undefined takes it. Wires left out have no such quirk. */
  readonly refuses: ByWire<(body: Body) => ScriptedReply | undefined>;
  readonly hosts?: (host: Host) => boolean;
  /** Requests until it is taken; default 2. */
  readonly requests?: number;
  /** What is told of a refusal that is not mended: by name, and never asked again. */
  readonly named?: string;
}

/** One test for each quirk and host: what is refused is made otherwise, and from then on at once. */
export function describeQuirksRefused(quirks: readonly QuirkRefused[]): void {
  const world = {} as { server: ScriptedModelServer };
  beforeAll(async () => {
    world.server = await startScriptedModelServer({ models: COPILOT_MODELS });
  });
  beforeEach(() => world.server.forget());
  afterAll(() => world.server.close());
  for (const { quirk, seenAt, request, refuses, hosts, requests = 2, named } of quirks) {
    const strict = HOSTS.filter((host) => of(refuses, host.wire) !== undefined && (hosts?.(host) ?? true));
    it.each(strict)(`${quirk} (${seenAt}): $name`, async (host) => {
      world.server.use(({ body }) => of(refuses, host.wire)?.(body) ?? { text: "taken" });
      const settings = host.toSettings(world.server.url);
      const provider = createProvider(settings as AnyProviderSettings);
      const outcome = await askProvider(provider, toRequest(host, request));
      if (named !== undefined) {
        expect(outcome.error?.refusedField).toBe(named);
        expect(outcome.error?.message).toContain(`The application asked for ${named}`);
        expect(world.server.requests).toHaveLength(1);
        return;
      }
      expect(outcome.error?.message).toBeUndefined();
      expect(outcome.answer?.content).toBe("taken");
      expect(world.server.requests).toHaveLength(requests);
      expect((await askProvider(provider, toRequest(host, request))).answer?.content).toBe("taken");
      expect(world.server.requests).toHaveLength(requests + 1);
    });
  }
}

/** One test for each quirk and host: a provider that is strict about this takes what is sent. */
export function describeQuirksOut(quirks: readonly QuirkOut[]): void {
  describe.each(quirks)("$quirk ($seenAt)", ({ after, request, refuses, hosts }) => {
    const world = useScriptedServer();
    const strict = HOSTS.filter((host) => of(refuses, host.wire) !== undefined && (hosts?.(host) ?? true));
    it.each(strict)("$name", async (host) => {
      const before = after ? await answered(host, world.server, after[host.wire] ?? {}) : [];
      world.server.use(({ body }) => toVerdict(of(refuses, host.wire)?.(body)));
      const messages = request?.messages ?? [{ role: "user", content: "And now?" }];
      const outcome = await ask(host, world.server, { ...request, messages: [...before, ...messages] });
      expect(outcome.error?.message).toBeUndefined();
      expect(outcome.answer?.content).toBe("taken");
    });
  });
}

function toVerdict(refusal: unknown): ScriptedReply {
  if (refusal === undefined || refusal === false) return { text: "taken" };
  const message = `refused: ${JSON.stringify(refusal)}`;
  return { status: 400, body: { error: { message, type: "invalid_request_error" } } };
}

function of<T>(value: ByWire<T>, wire: Wire): T | undefined {
  const isByWire =
    typeof value === "object" &&
    value !== null &&
    ("chat" in value || "responses" in value || "messages" in value);
  return isByWire ? (value as Partial<Record<Wire, T>>)[wire] : (value as T);
}

function useScriptedServer(): { readonly server: ScriptedModelServer } {
  const world = {} as { server: ScriptedModelServer };
  beforeEach(async () => {
    world.server = await startScriptedModelServer({ models: COPILOT_MODELS });
  });
  afterEach(() => world.server.close());
  return world;
}

interface Outcome {
  readonly answer?: ModelAnswer;
  readonly error?: ModelError;
  readonly deltas: readonly string[];
}

async function ask(
  host: Host,
  server: ScriptedModelServer,
  request: Partial<ModelRequest>,
  idleTimeoutMs?: number,
): Promise<Outcome> {
  const settings = { ...host.toSettings(server.url), ...(idleTimeoutMs && { idleTimeoutMs }) };
  const provider = createProvider(settings as AnyProviderSettings);
  return askProvider(provider, toRequest(host, request));
}

function toRequest(host: Host, request: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: host.model,
    system: "Be brief.",
    messages: [{ role: "user", content: "Hello" }],
    tools: [],
    stream: true,
    ...request,
  };
}

/** Asks again where the provider says that the same request would go out otherwise, as the agent loop does. */
async function askProvider(
  provider: ModelProvider,
  whole: ModelRequest,
  signal = new AbortController().signal,
): Promise<Outcome> {
  try {
    const events = await collect(provider.generate(whole, signal));
    const answers = events.flatMap((event) => (event.type === "answer" ? [event.answer] : []));
    expect(answers).toHaveLength(1);
    const deltas = events.flatMap((event) => (event.type === "text" ? [event.delta] : []));
    return { answer: answers[0], deltas };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    expect(error.message).not.toContain(KEY);
    if (error.remedy !== undefined) return askProvider(provider, whole, signal);
    return { error, deltas: [] };
  }
}

/** The conversation once the provider has given an answer, its calls answered. */
async function answered(
  host: Host,
  server: ScriptedModelServer,
  reply: ScriptedReply,
): Promise<ModelMessage[]> {
  server.use([reply]);
  const { answer, error } = await ask(host, server, {});
  if (!answer) throw error ?? new Error("no answer");
  const { content, toolCalls, reasoning } = answer;
  return [
    { role: "user", content: "Hello" },
    { role: "assistant", content, toolCalls, reasoning },
    ...toolCalls.map(({ id }) => ({ role: "tool", toolCallId: id, content: "done" }) as const),
  ];
}
