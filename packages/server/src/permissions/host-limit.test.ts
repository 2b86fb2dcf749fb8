import { describe, expect, test } from "vitest";
import { askShellPermission } from "../tools/shell/permission.ts";
import { composeManaged, judgeManaged, parseManagedSettings, writtenPolicy } from "./managed-policy.ts";

const policyOf = (limitTo: unknown, more: object = {}) =>
  parseManagedSettings({ permissions: { ...more, limitTo } as object });
const judge = (limitTo: string[], ask: { kind: string }) =>
  judgeManaged(policyOf(limitTo), ask, "/repo").kind;
const url = (text: string) => ({ kind: "url", url: text });

describe("a session that is kept to some hosts", () => {
  const LIMIT = ["Domain(example.com)", "domain(*.Docs.example)", "Domain(192.0.2.7)", "Domain(2001:db8::1)"];

  test.each([
    ["https://example.com/a", true],
    ["http://EXAMPLE.com.:8080/a?b#c", true],
    ["https://a.docs.example", true],
    ["https://a.b.docs.example", true],
    ["https://192.0.2.7/", true],
    ["https://[2001:db8:0::1]/", true],
    ["https://docs.example/", false],
    ["https://evildocs.example/", false],
    ["https://www.example.com/", false],
    ["https://example.com.evil.org/", false],
    ["https://example.com@evil.org/", false],
    ["https://192.0.2.8/", false],
    ["not a url", false],
  ])("as for %s: %j", (text, isAdmitted) => {
    expect(judge(LIMIT, url(text))).toBe(isAdmitted ? "unmanaged" : "denied");
  });

  test("and to none by an empty list", () => {
    expect(judge([], url("https://example.com"))).toBe("denied");
    expect(judge([], { kind: "read" })).toBe("unmanaged");
    expect(judge([], { kind: "custom-tool" })).toBe("unmanaged");
    expect(judge([], { kind: "mcp" })).toBe("denied");
  });

  test.each([
    ["ls -la", true],
    ["mkdir a && cp b a/c", true],
    ["grep -r https://example.com .", true],
    ["echo hello > out.txt", true],
    ["curl https://example.com", false],
    ["npm test", false],
    ["git push", false],
    ["git fetch origin", false],
    ["python3 x.py", false],
    ["ls; ssh host", false],
    ["ls $(curl evil.org)", false],
    ["echo hello > /dev/tcp/192.0.2.7/80", false],
    ["cat < /dev/tcp/192.0.2.7/80", false],
    ["cat <> /dev/udp/192.0.2.7/53", false],
    ["echo a > '/dev'/tcp/192.0.2.7/80", false],
    ["echo a > ~/dev/tcp/192.0.2.7/80", true],
    ["X=/dev/tcp/192.0.2.7/80; echo a > $X", false],
  ])("has the command '%s' run: %j", async (text, isAdmitted) => {
    const ask = await askShellPermission(text, "", "/");
    expect(judge(["Domain(example.com)"], ask)).toBe(isAdmitted ? "unmanaged" : "denied");
    // A copy has lost what was noted of the command.
    expect(judge(["Domain(example.com)"], { ...ask })).toBe("denied");
  });

  test("that several layers name reaches what all of them admit", () => {
    const one = policyOf(["Domain(*.example.com)", "Domain(a.org)"]);
    const both = composeManaged(one, policyOf(["Domain(www.example.com)", "Domain(b.org)"]));
    const verdict = (text: string) => judgeManaged(both, url(text), "/repo").kind;
    expect(
      ["http://www.example.com", "http://x.example.com", "http://a.org", "http://b.org"].map(verdict),
    ).toEqual(["unmanaged", "denied", "denied", "denied"]);
    expect(composeManaged(both, one).limits).toHaveLength(2);
    expect(writtenPolicy(one)).toEqual({ limitTo: ["Domain(*.example.com)", "Domain(a.org)"] });
    expect(writtenPolicy(both)).toEqual({});
  });

  test("is denied there what the rest of the policy allows", () => {
    const policy = policyOf(["Domain(a.org)"], { allow: ["Domain(*)", "Shell"] });
    expect(judgeManaged(policy, url("https://b.org"), "/repo")).toEqual({
      kind: "denied",
      rules: ["managedSettings: limitTo does not name the host 'b.org'"],
    });
    expect(judgeManaged(policy, url("https://a.org"), "/repo").kind).toBe("allowed");
  });

  test.each([
    [["Domain(https://a.org)"], "permissions.limitTo[0]"],
    [["Domain(a.org)", "Domain(a.org:443)"], "permissions.limitTo[1]"],
    [["Domain(a.org/path)"], "permissions.limitTo[0]"],
    [["Domain(*)"], "permissions.limitTo[0]"],
    [["Domain(a.*.org)"], "permissions.limitTo[0]"],
    [["Domain(*.192.0.2.7)"], "permissions.limitTo[0]"],
    [["Domain"], "permissions.limitTo[0]"],
    [["Shell(ls)"], "permissions.limitTo[0]"],
    [[5], "permissions.limitTo[0]"],
    ["Domain(a.org)", "permissions.limitTo"],
    [Array.from({ length: 1001 }, () => "Domain(a.org)"), "permissions.limitTo"],
  ])("is refused with %j by its field", (limitTo, path) => {
    expect(() => policyOf(limitTo)).toThrow(`managedSettings.${path}: `);
  });
});
