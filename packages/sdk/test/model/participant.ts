/** One client of a sequence, the network that it has to itself, and the session objects that it got. */
import type { FaultProxy } from "@rightseat/testing";
import {
  CopilotClient,
  type CopilotSession,
  defineTool,
  RuntimeConnection,
  type SessionConfig,
  type SessionEvent,
  type SessionHooks,
} from "../../src/index.ts";
import type { ToolManner } from "./ledger.ts";

/** How handlers behave that no prompt says anything to. */
export type Manner = "plain" | "throws" | "odd";

/** What one session object, or one reader of events, was told. */
export interface Told {
  readonly what: string;
  readonly events: SessionEvent[];
  /** It is told everything from the beginning of the log. */
  readonly fromStart: boolean;
  /** Nothing more may come. */
  over: boolean;
  /** Something came all the same. */
  lateEvent?: string;
}

/** A session object of the application. */
export interface Held {
  readonly session: CopilotSession;
  readonly sessionId: string;
  readonly told: Told;
  readonly readers: Reader[];
  readonly owner: Participant;
  /** The application has asked to leave it, or to stop its client. */
  leaving: boolean;
}

export interface Reader {
  readonly told: Told;
  /** Settles when it is over, with an error or not. */
  readonly done: Promise<void>;
}

export interface Participant {
  readonly name: string;
  readonly proxy: FaultProxy;
  readonly client: CopilotClient;
  readonly held: Held[];
  /** It was connected, and not stopped since: losses are its own affair. */
  isUp: boolean;
  /** How often it was stopped. */
  stops: number;
}

export function createParticipant(name: string, proxy: FaultProxy): Participant {
  const client = new CopilotClient({
    connection: RuntimeConnection.forUri(`127.0.0.1:${proxy.port}`),
    reconnect: { initialDelayMs: 1, maxDelayMs: 10 },
    // A machine that is busy is no reason to cut; what swallows is cut in the end.
    heartbeat: { silenceMs: 1000, answerMs: 4000, idleMs: 15_000 },
    onWarning: () => undefined,
  });
  return { name, proxy, client, held: [], isUp: false, stops: 0 };
}

export function newTold(what: string, fromStart: boolean): Told {
  return { what, events: [], fromStart, over: false };
}

export function take(told: Told, event: SessionEvent): void {
  if (event.ephemeral === true) return;
  told.events.push(event);
  if (told.over) told.lateEvent ??= event.type;
}

/** What sessions are made and resumed with. */
export function sessionConfig(modelUrl: string, manner: Manner, told?: Told): SessionConfig {
  return {
    model: "scripted",
    provider: { type: "openai", baseUrl: `${modelUrl}/v1`, apiKey: "k" },
    streaming: true,
    availableTools: ["custom:*"],
    tools: [lookup],
    hooks: hooksOf(manner),
    onPermissionRequest: () => permissionOf(manner) as never,
    ...(told ? { onEvent: (event) => listen(told, event, manner) as undefined } : {}),
  };
}

function listen(told: Told, event: SessionEvent, manner: Manner): unknown {
  take(told, event);
  if (manner === "throws") throw new Error("the listener fails");
  return manner === "odd" ? Promise.reject(new Error("the listener rejects")) : undefined;
}

const lookup = defineTool<{ manner: ToolManner }>("lookup", {
  description: "Looks a value up",
  parameters: { type: "object", properties: { manner: { type: "string" } } },
  handler: ({ manner }) => TOOL_MANNERS[manner](),
});

const TOOL_MANNERS: Record<ToolManner, () => unknown> = {
  answer: () => "found",
  throw: () => {
    throw new Error("the tool fails");
  },
  reject: () => Promise.reject("no error, but a text"),
  bigint: () => ({ found: 1n }),
  circular: () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    return circle;
  },
  undefined: () => undefined,
  late: () => new Promise((resolve) => setTimeout(resolve, 5, "found late")),
};

function permissionOf(manner: Manner): unknown {
  if (manner === "throws") throw new Error("the permission handler fails");
  return manner === "odd" ? { kind: "whatever", circle: 1n } : { kind: "approve-once" };
}

function hooksOf(manner: Manner): SessionHooks | undefined {
  if (manner === "plain") return undefined;
  return {
    onUserPromptSubmitted: () => {
      if (manner === "throws") throw new Error("the hook fails");
      return { additionalContext: 1n } as never;
    },
  };
}
