import { expect, test } from "vitest";
import { rankTools } from "./rank-tools.ts";

const TOOLS = [
  { name: "create_issue", description: "Opens a ticket in the tracker" },
  { name: "listIssues", description: "Tickets of a repository" },
  { name: "send_mail", description: "Sends a message to people, also about an issue" },
  { name: "weather", description: "Forecast of a place" },
];
const find = (query: string, limit = 5) => rankTools(TOOLS, query, limit).map((tool) => tool.name);

test.each<[string, string[]]>([
  ["weather", ["weather"]],
  ["send_mail", ["send_mail"]],
  ["use create_issue for tickets", ["create_issue", "listIssues", "send_mail"]],
  ["list issues", ["listIssues", "create_issue", "send_mail"]],
  ["forecast", ["weather"]],
  ["nothing of the kind", []],
  ["", []],
  ["*.(", []],
])("%s finds what fits, best first", (query, names) => {
  expect(find(query)).toEqual(names);
});

test("no more are found than were asked for", () => {
  expect(find("issue", 1)).toEqual(["create_issue"]);
});
