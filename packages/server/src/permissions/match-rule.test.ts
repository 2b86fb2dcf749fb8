import type { PermissionRule } from "@rightseat/protocol";
import { describe, expect, test } from "vitest";
import type { PermissionAsk } from "../tools/tool.ts";
import { denials, isApproved } from "./match-rule.ts";
import { rulesOf } from "./rule.ts";

const rule = (text: string): PermissionRule => {
  const [, kind = "", argument] = /^([^(]+)(?:\((.*)\))?$/.exec(text) ?? [];
  return { kind, argument: argument ?? null };
};
const approves = (ask: PermissionAsk, ...rules: string[]) => isApproved(ask, rules.map(rule));
const denied = (ask: PermissionAsk, ...rules: string[]) => denials(ask, rules.map(rule)).length > 0;

/** As the shell's own summary gives it; each text is one segment. */
const shell = (...texts: string[]): PermissionAsk => ({
  kind: "shell",
  commandSegments: texts.map((text) => ({ identifier: text.split(" ")[0], fullCommandText: text })),
  canOfferSessionApproval: true,
});

describe("approvals of commands", () => {
  test("cover a line when they cover each of its commands", () => {
    expect(approves(shell("git status"), "shell(git)")).toBe(true);
    expect(approves(shell("git status", "ls"), "shell(git)")).toBe(false);
    expect(approves(shell("git status", "ls"), "shell(git)", "shell(ls)")).toBe(true);
    expect(approves(shell("git status"), "shell(git:*)")).toBe(true);
    expect(approves(shell("git status -s"), "shell(git status)")).toBe(true);
    expect(approves(shell("git statusx"), "shell(git status)")).toBe(false);
    expect(approves(shell("git push"), "shell(git status)")).toBe(false);
    expect(approves(shell("rm x"), "shell")).toBe(true);
  });

  test("do not cover another program of the same name, or what is not plain", () => {
    expect(approves(shell("/tmp/git status"), "shell(git)")).toBe(false);
    expect(approves({ ...shell("git status"), canOfferSessionApproval: false }, "shell(git)")).toBe(false);
    expect(approves(shell(), "shell(git)")).toBe(false);
  });
});

describe("denials of commands", () => {
  test("reach every command of a line, by its path too, plain or not", () => {
    expect(denied(shell("ls", "rm -rf x"), "shell(rm)")).toBe(true);
    expect(denied(shell("/bin/rm x"), "shell(rm)")).toBe(true);
    expect(denied(shell("/usr/bin/git push origin"), "shell(git push)")).toBe(true);
    expect(denied({ ...shell("rm x"), canOfferSessionApproval: false }, "shell(rm)")).toBe(true);
    expect(denied(shell("ls"), "shell")).toBe(true);
    expect(denied(shell("ls rm"), "shell(rm)")).toBe(false);
  });
});

describe("rules of other kinds", () => {
  test.each<[PermissionAsk, string, boolean]>([
    [{ kind: "read", path: "/a" }, "read", true],
    [{ kind: "read", path: "/a" }, "write", false],
    [{ kind: "write", fileName: "/a" }, "write", true],
    [{ kind: "memory" }, "memory", true],
    [{ kind: "custom-tool", toolName: "a" }, "custom-tool(a)", true],
    [{ kind: "custom-tool", toolName: "ab" }, "custom-tool(a)", false],
    [{ kind: "custom-tool", toolName: "ab" }, "custom-tool", true],
    [{ kind: "mcp", serverName: "s", toolName: "t" }, "s", true],
    [{ kind: "mcp", serverName: "s", toolName: "t" }, "s(t)", true],
    [{ kind: "mcp", serverName: "s", toolName: "t" }, "s(u)", false],
    // A server's name is its own choice: it gets nothing by calling itself after a kind.
    [{ kind: "mcp", serverName: "read", toolName: "t" }, "read", false],
    [{ kind: "url", url: "https://a.b/c" }, "url(a.b)", true],
    [{ kind: "url", url: "https://a.b/c" }, "url", true],
    [{ kind: "url", url: "http://a.b/c" }, "url(a.b)", false],
    [{ kind: "hook", toolName: "a" }, "hook", false],
    [{ kind: "toString" }, "toString", false],
  ])("%j by %s: %s", (ask, text, expected) => expect(approves(ask, text)).toBe(expected));
});

test("an approval stands for rules", () => {
  expect(rulesOf({ kind: "commands", commandIdentifiers: ["git", "ls"] })).toEqual([
    { kind: "shell", argument: "git" },
    { kind: "shell", argument: "ls" },
  ]);
  expect(rulesOf({ kind: "mcp", serverName: "s", toolName: null })).toEqual([{ kind: "s", argument: null }]);
  expect(
    rulesOf({ kind: "extension-env-access", extensionName: "e", environmentVariables: ["B", "A"] }),
  ).toEqual([{ kind: "extension-env-access", argument: "e(A,B)" }]);
  expect(rulesOf({ kind: "nonsense" } as never)).toEqual([]);
});
