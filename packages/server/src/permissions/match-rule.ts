/** Which questions a rule answers. Approvals are read narrowly, denials widely: see each. */
import type { PermissionRule } from "@rightseat/protocol";
import type { PermissionAsk } from "../tools/tool.ts";
import { OWN_KINDS } from "./rule.ts";
import { coversUrl } from "./url-pattern.ts";

interface Segment {
  readonly identifier: string;
  readonly fullCommandText: string;
}

/** Whether the rules, taken together, allow all of what is asked. */
export function isApproved(ask: PermissionAsk, rules: readonly PermissionRule[]): boolean {
  if (rules.length === 0) return false;
  if (ask.kind !== "shell") return rules.some((rule) => matches(rule, ask));
  if (rules.some((rule) => isShellRule(rule) && rule.argument === null)) return true;
  // What could hide a command (substitutions, redirections, control flow) is never covered by names.
  if (ask.canOfferSessionApproval !== true) return false;
  const segments = segmentsOf(ask);
  return segments.length > 0 && segments.every((segment) => rules.some((rule) => allows(rule, segment)));
}

/** The rules that deny any part of what is asked. */
export function denials(ask: PermissionAsk, rules: readonly PermissionRule[]): PermissionRule[] {
  return rules.filter((rule) => {
    if (ask.kind === "shell" && isShellRule(rule))
      return rule.argument === null || segmentsOf(ask).some((segment) => denies(rule, segment));
    return matches(rule, ask);
  });
}

/** Whether a URL may be reached by the rules alone. */
export function isUrlApproved(url: string, rules: readonly PermissionRule[]): boolean {
  return rules.some(
    (rule) => rule.kind === "url" && (rule.argument === null || coversUrl(rule.argument, url)),
  );
}

function matches(rule: PermissionRule, ask: PermissionAsk): boolean {
  const any = rule.argument === null;
  switch (ask.kind) {
    case "read":
    case "write":
    case "memory":
      return rule.kind === ask.kind && any;
    case "url":
      return isUrlApproved(String(ask.url), [rule]);
    case "custom-tool":
      return rule.kind === ask.kind && (any || rule.argument === ask.toolName);
    case "mcp":
      return (
        !OWN_KINDS.has(rule.kind) && rule.kind === ask.serverName && (any || rule.argument === ask.toolName)
      );
    case "extension-management":
      return rule.kind === ask.kind && (any || rule.argument === ask.operation);
    case "factory":
      return (
        rule.kind === ask.kind &&
        (any || rule.argument === ask.approvalKey || rule.argument === ask.operation)
      );
    case "extension-permission-access":
      return rule.kind === ask.kind && rule.argument === ask.extensionName;
    case "extension-env-access": {
      const names = Array.isArray(ask.environmentVariables) ? [...ask.environmentVariables].sort() : [];
      return rule.kind === ask.kind && rule.argument === `${ask.extensionName}(${names.join(",")})`;
    }
    default:
      return false;
  }
}

function isShellRule(rule: PermissionRule): boolean {
  return rule.kind === "shell" || rule.kind === "commands";
}

/** `git` and `git:*` allow every git; `git status` allows what begins with these words. */
function allows(rule: PermissionRule, { identifier, fullCommandText }: Segment): boolean {
  if (!isShellRule(rule) || rule.argument === null) return false;
  const wanted = rule.argument.trim().replace(/:\*$/, "");
  return wanted === identifier || beginsWithWords(fullCommandText, wanted);
}

/** Also when the command is named by its path: `/bin/rm` is `rm`. */
function denies(rule: PermissionRule, segment: Segment): boolean {
  const base = segment.identifier.slice(segment.identifier.lastIndexOf("/") + 1);
  const rest = segment.fullCommandText.trimStart().slice(segment.identifier.length);
  return allows(rule, segment) || allows(rule, { identifier: base, fullCommandText: base + rest });
}

function beginsWithWords(text: string, wanted: string): boolean {
  const [words, prefix] = [text.trim().split(/\s+/), wanted.split(/\s+/)];
  return prefix.length > 0 && prefix.every((word, index) => words[index] === word);
}

function segmentsOf(ask: PermissionAsk): readonly Segment[] {
  return Array.isArray(ask.commandSegments) ? (ask.commandSegments as Segment[]) : [];
}
