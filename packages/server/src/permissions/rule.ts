/**
 * Permission rules: a kind and an argument, as clients name them (`shell` `git`, `write`, `url`
 * `example.com`, the name of an MCP server and one of its tools). An approval, which is how a client says
 * what it allows from now on, is a few of these.
 */
import type { PermissionRule, UserToolSessionApproval } from "@rightseat/protocol";

/** Every shape of approval that clients give; events know all but the last. */
export type Approval =
  | UserToolSessionApproval
  | { readonly kind: "mcp-sampling"; readonly serverName: string };

/** Kinds that are not the name of an MCP server. */
export const OWN_KINDS: ReadonlySet<string> = new Set([
  "shell",
  "commands",
  "read",
  "write",
  "url",
  "memory",
  "custom-tool",
  "mcp-sampling",
  "extension-management",
  "factory",
  "extension-permission-access",
  "extension-env-access",
  "hook",
]);

/** The rules that an approval stands for; none of an approval of a kind that is not known. */
export function rulesOf(approval: Approval): PermissionRule[] {
  switch (approval.kind) {
    case "commands":
      return approval.commandIdentifiers.map((argument) => ({ kind: "shell", argument }));
    case "read":
    case "write":
    case "memory":
      return [{ kind: approval.kind, argument: null }];
    case "mcp":
      return [{ kind: approval.serverName, argument: approval.toolName ?? null }];
    case "mcp-sampling":
      return [{ kind: approval.kind, argument: approval.serverName }];
    case "custom-tool":
      return [{ kind: approval.kind, argument: approval.toolName }];
    case "extension-management":
      return [{ kind: approval.kind, argument: approval.operation ?? null }];
    case "factory":
      return [{ kind: approval.kind, argument: approval.approvalKey ?? null }];
    case "extension-permission-access":
      return [{ kind: approval.kind, argument: approval.extensionName }];
    case "extension-env-access": {
      const names = [...approval.environmentVariables].sort().join(",");
      return [{ kind: approval.kind, argument: `${approval.extensionName}(${names})` }];
    }
    default:
      return [];
  }
}

/** As people read it: `write`, `shell(git)`. */
export function describeRule(rule: PermissionRule): string {
  return rule.argument === null ? rule.kind : `${rule.kind}(${rule.argument})`;
}

export function isSameRule(one: PermissionRule, other: PermissionRule): boolean {
  return one.kind === other.kind && one.argument === other.argument;
}

/** The rules with the new ones behind them, each once. */
export function addRules(
  rules: readonly PermissionRule[],
  added: readonly PermissionRule[],
): readonly PermissionRule[] {
  const all = [...rules];
  for (const { kind, argument } of added) {
    const rule = { kind, argument: argument ?? null };
    if (!all.some((known) => isSameRule(known, rule))) all.push(rule);
  }
  return all;
}
