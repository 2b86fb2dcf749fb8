import { expect, test } from "vitest";
import type { Tool } from "../../../tools/tool.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";
import { toolSetOf } from "./tool-set.ts";

const builtIn = (name: string): Tool => ({
  definition: { name, description: "", parameters: {} },
  source: "builtin",
  run: async () => ({ resultType: "success", text: "" }),
});
const ALL = ["view", "grep", "ask_user"].map(builtIn);

/** With a client that answers questions of the user. */
const sessionWith = (settings: SessionSettings): Session => {
  const session = {
    settings,
    attachments: new Map([["client", { answersUserInput: true, tools: new Map() }]]),
    state: { mode: "interactive", openToolCalls: [] },
  } as unknown as Session;
  return Object.assign(session, { session });
};

const namesWith = (settings: SessionSettings) =>
  toolSetOf(sessionWith(settings), () => ALL).definitions.map((definition) => definition.name);

test.each<[string, SessionSettings, string[]]>([
  ["all, when nothing is said", {}, ["view", "grep", "ask_user"]],
  ["only the available ones", { availableTools: ["view"] }, ["view"]],
  ["none that is excluded", { excludedTools: ["view", "ask_user"] }, ["grep"]],
  ["none that is both, by default", { availableTools: ["builtin:*"], excludedTools: ["builtin:*"] }, []],
  [
    "those that are both, where availability goes first",
    { availableTools: ["view"], excludedTools: ["view"], toolFilterPrecedence: "available" },
    ["view"],
  ],
  [
    "none that is excluded when none is named as available",
    { excludedTools: ["view"], toolFilterPrecedence: "available" },
    ["grep", "ask_user"],
  ],
  ["no ask_user with askUserDisabled", { askUserDisabled: true }, ["view", "grep"]],
])("a session has %s", (_title, settings, names) => {
  expect(namesWith(settings)).toEqual(names);
});
