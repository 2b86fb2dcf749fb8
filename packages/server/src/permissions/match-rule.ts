/** Which questions a rule answers. Approvals are read narrowly, denials widely: see each. */
import type { PermissionRule } from "@rightseat/protocol";
import { mayBegin, type PossibleCommands, possibleCommandsOf } from "../tools/possible-commands.ts";
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
  // What is not wholly understood (substitutions, redirections, options that are not known) is never covered by names.
  if (ask.canOfferSessionApproval !== true) return isApprovedAsWritten(ask, rules);
  const segments = segmentsOf(ask);
  return segments.length > 0 && segments.every((segment) => rules.some((rule) => allows(rule, segment)));
}

/** The rules that deny any part of what is asked. */
export function denials(ask: PermissionAsk, rules: readonly PermissionRule[]): PermissionRule[] {
  if (ask.kind !== "shell") return rules.filter((rule) => matches(rule, ask));
  const shellRules = rules.filter(isShellRule);
  const possible = shellRules.length > 0 ? possibleCommandsOf(ask) : undefined;
  return shellRules.filter((rule) => rule.argument === null || (possible && denies(rule.argument, possible)));
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
  const wanted = toWords(rule.argument);
  return wanted.join(" ") === identifier || beginsWithWords(fullCommandText, wanted);
}

/** A rule of several words covers the very command that it is, whatever that does. */
function isApprovedAsWritten(ask: PermissionAsk, rules: readonly PermissionRule[]): boolean {
  const { written = [] } = possibleCommandsOf(ask);
  if (written.length < 2) return false;
  return rules.some((rule) => {
    const wanted = isShellRule(rule) && rule.argument !== null ? rule.argument.trim().split(/\s+/) : [];
    return wanted.length === written.length && wanted.every((word, index) => word === written[index]);
  });
}

/** Whatever the line may run counts: by its path, behind another command, or hidden. */
function denies(argument: string, possible: PossibleCommands): boolean {
  return mayBegin(possible, toWords(argument));
}

function toWords(argument: string): string[] {
  return argument
    .trim()
    .replace(/:\*$/, "")
    .split(/\s+/)
    .filter((word) => word !== "");
}

function beginsWithWords(text: string, wanted: readonly string[]): boolean {
  const words = text.trim().split(/[ \t]+/);
  return wanted.length > 0 && wanted.every((word, index) => words[index] === word);
}

function segmentsOf(ask: PermissionAsk): readonly Segment[] {
  return Array.isArray(ask.commandSegments) ? (ask.commandSegments as Segment[]) : [];
}
