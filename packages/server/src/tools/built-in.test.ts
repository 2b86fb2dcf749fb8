import { expect, test } from "vitest";
import { type BuiltInToolHost, createBuiltInTools } from "./built-in.ts";

const host: BuiltInToolHost = {
  sessionId: "s",
  workingDirectory: () => "/",
  largeOutputDirectory: () => undefined,
  environment: () => ({}),
};

test("models are offered the tools that recorded conversations have, in their order", () => {
  const { tools } = createBuiltInTools(host);
  expect(tools.map((tool) => tool.definition.name)).toEqual([
    "bash",
    "read_bash",
    "write_bash",
    "stop_bash",
    "list_bash",
    "view",
    "create",
    "edit",
    "web_fetch",
    "sql",
    "grep",
    "glob",
    "ask_user",
    "exit_plan_mode",
    "task_complete",
    "report_intent",
  ]);
  expect(tools.map((tool) => tool.source)).toEqual(tools.map(() => "builtin"));
});

test("sessions share the definitions", () => {
  const [one, other] = [createBuiltInTools(host), createBuiltInTools(host)];
  expect(one.tools.every((tool, index) => tool.definition === other.tools[index]?.definition)).toBe(true);
});

test("a session that used no tool is disposed of, twice", async () => {
  const tools = createBuiltInTools(host);
  await tools.dispose();
  await tools.dispose();
});
