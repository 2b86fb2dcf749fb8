import type { SessionManagedPermissions } from "@rightseat/protocol";
import { describe, expect, test } from "vitest";
import type { PermissionAsk } from "../tools/tool.ts";
import { composeManaged, judgeManaged, parseManagedSettings } from "./managed-policy.ts";

const judge = (permissions: SessionManagedPermissions, ask: PermissionAsk) =>
  judgeManaged(parseManagedSettings({ permissions }), ask, "/repo").kind;
const read = (path: string) => ({ kind: "read", path, resolvedPath: path });
const write = (path: string) => ({ kind: "write", fileName: path, resolvedPath: path });
const shell = (text: string, paths: Record<string, string> = {}) => ({
  kind: "shell",
  fullCommandText: text,
  commandSegments: text.split("; ").map((part) => ({ identifier: part, fullCommandText: part })),
  resolvedPaths: paths,
  possibleUrls: [...text.matchAll(/https?:\S+/g)].map(([url]) => ({ url })),
  canOfferSessionApproval: true,
});

describe("a managed policy", () => {
  test("denies what any part of a call touches", () => {
    const deny = [
      "Read(/etc/**)",
      "Shell(git push *)",
      "Edit(**/secret.txt)",
      "Domain(*.evil.com)",
      "Mcp(s:t)",
    ];
    expect(judge({ deny }, read("/etc/passwd"))).toBe("denied");
    expect(judge({ deny }, read("/repo/a"))).toBe("unmanaged");
    expect(judge({ deny }, shell("ls; git push origin"))).toBe("denied");
    expect(judge({ deny }, shell("git pull"))).toBe("unmanaged");
    expect(judge({ deny }, shell("cat x", { x: "/etc/shadow" }))).toBe("denied");
    expect(judge({ deny }, write("/repo/secret.txt"))).toBe("denied");
    expect(judge({ deny }, { kind: "url", url: "http://a.evil.com:80/x" })).toBe("denied");
    expect(judge({ deny }, shell("curl https://a.evil.com/"))).toBe("denied");
    expect(judge({ deny }, { kind: "mcp", serverName: "s", toolName: "t" })).toBe("denied");
    expect(judge({ deny }, { kind: "mcp", serverName: "s", toolName: "u" })).toBe("unmanaged");
    expect(judge({ deny: ["shell"] }, shell("ls"))).toBe("denied");
    expect(judge({ deny: ["CustomTool(drop_*)"] }, { kind: "custom-tool", toolName: "drop_all" })).toBe(
      "denied",
    );
  });

  test("has what is denied go before what is asked, and that before what is allowed", () => {
    const policy = { deny: ["Read(/a/b)"], ask: ["Read(/a/**)"], allow: ["Read(**)"] };
    expect(judge(policy, read("/a/b"))).toBe("denied");
    expect(judge(policy, read("/a/c"))).toBe("ask");
    expect(judge(policy, read("/d"))).toBe("allowed");
  });

  test("with a list of what is allowed has everything else asked, but for tools that it does not speak of", () => {
    const policy = { allow: ["Read(src/**)", "Shell(npm *)"] };
    expect(judge(policy, read("/repo/src/a.ts"))).toBe("allowed");
    expect(judge(policy, read("/src/a.ts"))).toBe("ask");
    expect(judge(policy, write("/repo/src/a.ts"))).toBe("ask");
    expect(judge(policy, shell("npm test"))).toBe("allowed");
    expect(judge(policy, shell("npm test; rm x"))).toBe("ask");
    expect(judge(policy, { ...shell("npm test"), canOfferSessionApproval: false })).toBe("ask");
    expect(judge(policy, { kind: "url", url: "https://a.b" })).toBe("ask");
    expect(judge(policy, { kind: "custom-tool", toolName: "t" })).toBe("unmanaged");
    expect(judge({ allow: ["CustomTool(t)"] }, { kind: "custom-tool", toolName: "u" })).toBe("ask");
  });

  test("laid over another is stricter than both", () => {
    const one = parseManagedSettings({ permissions: { allow: ["Read(/a/**)"], deny: ["Write"] } });
    const both = composeManaged(
      one,
      parseManagedSettings({
        permissions: { allow: ["Read(**/b)"], disableBypassPermissionsMode: "disable" },
      }),
    );
    const verdict = (ask: PermissionAsk) => judgeManaged(both, ask, "/repo").kind;
    expect(verdict(read("/a/b"))).toBe("allowed");
    expect(verdict(read("/a/c"))).toBe("ask");
    expect(verdict(read("/c/b"))).toBe("ask");
    expect(verdict(write("/a"))).toBe("denied");
    expect(both.bypassDisabled).toBe(true);
  });

  test("that is not understood is refused by its field", () => {
    const problem = (settings: object) => {
      try {
        return parseManagedSettings(settings);
      } catch (error) {
        return (error as { data: { path: string } }).data.path;
      }
    };
    expect(problem({ permissions: { deny: ["Read", "Bogus(x)"] } })).toBe(
      "managedSettings.permissions.deny[1]",
    );
    expect(problem({ permissions: { ask: ["Read("] } })).toBe("managedSettings.permissions.ask[0]");
    expect(problem({ permissions: { allow: [""] } })).toBe("managedSettings.permissions.allow[0]");
    expect(problem({ permissions: { other: 1 } })).toBe("managedSettings.permissions.other");
    expect(problem({ other: 1 })).toBe("managedSettings.other");
  });
});

describe("a managed policy of the greatest size", () => {
  const rules = (family: string, pattern: string) =>
    Array.from({ length: 1000 }, (_, index) => `${family}(${pattern.repeat(240)}${index})`);

  test("is compared with a long command, every rule with all of it", () => {
    const deny = rules("Bash", "*aa");
    const text = `echo ${"a".repeat(20_000)}`;
    expect(judge({ deny }, shell(text))).toBe("unmanaged");
    expect(judge({ deny: [...deny.slice(1), "Bash(*aaa)"] }, shell(text))).toBe("denied");
  });

  test.each([
    ["commands", rules("Bash", "*aa"), shell("a".repeat(4_000_000))],
    ["paths", rules("Read", "**a"), read(`/${"a".repeat(1_000_000)}`)],
    [
      "many paths",
      rules("Read", "**a"),
      shell("x", Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [at, `/aaaaaaaa${at}`]))),
    ],
  ])("denies %s that are too much to be compared with it", (_, deny, ask) => {
    const verdict = judgeManaged(parseManagedSettings({ permissions: { deny } }), ask, "/repo");
    expect(verdict).toMatchObject({ kind: "denied", rules: [expect.stringContaining("50000000 steps")] });
  });

  test("stays as large when the same policy is brought again", () => {
    const policy = parseManagedSettings({ permissions: { deny: rules("Bash", "*a") } });
    expect(composeManaged(policy, policy).deny).toHaveLength(1000);
  });
});
