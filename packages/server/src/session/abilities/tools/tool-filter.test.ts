import { expect, test } from "vitest";
import { matchesTool, type NamedTool } from "./tool-filter.ts";

const VIEW: NamedTool = { name: "view", source: "builtin" };
const LOOKUP: NamedTool = { name: "lookup", source: "custom" };
const ISSUES: NamedTool = { name: "github-list_issues", source: "mcp" };

test.each<[string, readonly NamedTool[]]>([
  ["view", [VIEW]],
  ["builtin:view", [VIEW]],
  ["custom:view", []],
  ["custom:*", [LOOKUP]],
  ["mcp:github-*", [ISSUES]],
  ["mcp:gitlab-*", []],
  ["*", [VIEW, LOOKUP, ISSUES]],
  ["other:view", []],
  ["VIEW", []],
  ["", []],
])("%s stands for the right tools", (pattern, tools) => {
  expect([VIEW, LOOKUP, ISSUES].filter((tool) => matchesTool(pattern, tool))).toEqual(tools);
});
