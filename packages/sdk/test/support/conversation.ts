/** Sessions of the SDK that remember what they saw, and what there is to see. */
import type { ScriptedModelServer } from "@rightseat/testing";
import { expect } from "vitest";
import {
  approveAll,
  type CopilotSession,
  defineTool,
  type SessionConfig,
  type SessionEvent,
} from "../../src/index.ts";

export interface Witness {
  /** Everything that the session was told, in order. */
  readonly events: SessionEvent[];
  /** Calls of the tool `lookup`, by tool call id. */
  readonly calls: Map<string, number>;
  readonly config: SessionConfig;
}

/** A session's configuration with a tool, and an account of what happened in it. */
export function witness(model: ScriptedModelServer, more: SessionConfig = {}): Witness {
  const events: SessionEvent[] = [];
  const calls = new Map<string, number>();
  const lookup = defineTool("lookup", {
    description: "Looks a value up",
    parameters: { type: "object", properties: {} },
    handler: (_args, { toolCallId }) => {
      calls.set(toolCallId, (calls.get(toolCallId) ?? 0) + 1);
      return "found";
    },
  });
  const config: SessionConfig = {
    model: "scripted",
    provider: { type: "openai", baseUrl: `${model.url}/v1`, apiKey: "k" },
    streaming: true,
    availableTools: ["custom:*"],
    tools: [lookup],
    onPermissionRequest: approveAll,
    onEvent: (event) => events.push(event),
    ...more,
  };
  return { events, calls, config };
}

/** The durable events that were told are those of the log: each once, all of them, in order. */
export async function expectAllEventsOnce({ events }: Witness, session: CopilotSession): Promise<void> {
  const told = events.filter(({ ephemeral }) => ephemeral !== true).map(({ id, type }) => `${type} ${id}`);
  const logged = (await session.getEvents()).map(({ id, type }) => `${type} ${id}`);
  expect(told).toEqual(logged);
}

/** Every prompt stands in the log once. */
export async function expectPromptsOnce(session: CopilotSession, prompts: readonly string[]): Promise<void> {
  const logged = (await session.getEvents()).flatMap((event) =>
    event.type === "user.message" ? [event.data.content] : [],
  );
  expect(logged).toEqual(prompts);
}
