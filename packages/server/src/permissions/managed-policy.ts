/**
 * The policy that an application lays over a session's permissions (`managedSettings`): it goes before
 * whatever clients or users allow. Denied is denied; what is to be asked is asked of a person each time;
 * where there is a list of what is allowed, everything else is asked. Beyond the hosts that it is kept to, nothing is
 * reached.
 */
import { cutText, RpcError, type SessionManagedSettings } from "@rightseat/protocol";
import { type PossibleCommands, possibleCommandsOf } from "../tools/possible-commands.ts";
import type { PermissionAsk } from "../tools/tool.ts";
import { beyondLimits, type HostLimit, parseHost } from "./host-limit.ts";
import { pathsOf } from "./paths.ts";
import { coversPath, coversText, Steps, TooManyStepsError } from "./wildcards.ts";

type Family = "shell" | "powershell" | "read" | "write" | "domain" | "mcp" | "custom-tool";

interface ManagedRule {
  readonly family: Family;
  /** Undefined covers the whole family. */
  readonly pattern: string | undefined;
  /** As it was written. */
  readonly text: string;
}

export interface ManagedPolicy {
  readonly bypassDisabled: boolean;
  readonly deny: readonly ManagedRule[];
  readonly ask: readonly ManagedRule[];
  /** Each list must admit what is allowed: one a layer. */
  readonly allowLists: readonly (readonly ManagedRule[])[];
  /** The same of hosts; an empty one admits none. */
  readonly limits: readonly HostLimit[];
}

type ManagedPermissions = NonNullable<SessionManagedSettings["permissions"]>;

export type ManagedVerdict =
  | { readonly kind: "denied"; readonly rules: readonly string[] }
  | { readonly kind: "ask" | "allowed" | "unmanaged" };

const FAMILIES: Readonly<Record<string, Family>> = {
  bash: "shell",
  shell: "shell",
  powershell: "powershell",
  read: "read",
  edit: "write",
  write: "write",
  domain: "domain",
  mcp: "mcp",
  customtool: "custom-tool",
};
/** The price of reading an address, beside comparing it. */
const STEPS_A_CHARACTER_OF_URLS = 10;
const MAX_RULES = 1000;
const MAX_RULE_CHARS = 1000;

/** @throws RpcError `invalid_params` that names the field: a policy that is not understood is not applied by halves. */
export function parseManagedSettings(settings: SessionManagedSettings): ManagedPolicy {
  for (const name of Object.keys(settings)) {
    if (name !== "permissions") throw invalid(name, "only 'permissions' can be managed");
  }
  const { deny, ask, allow, disableBypassPermissionsMode, ...rest } = settings.permissions ?? {};
  // Newer SDKs have it. The mode that it forbids is never taken up here.
  const { disableAssistedPermissionsMode: _, limitTo, ...others } = rest as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`permissions.${unknown}`, "there is no such setting");
  return {
    bypassDisabled: disableBypassPermissionsMode !== undefined && disableBypassPermissionsMode !== null,
    deny: parseRules(deny, "permissions.deny"),
    ask: parseRules(ask, "permissions.ask"),
    allowLists: allow ? [parseRules(allow, "permissions.allow")] : [],
    limits: limitTo === undefined || limitTo === null ? [] : [parseLimit(limitTo)],
  };
}

/** The policy as an application writes it. Several lists of what is allowed cannot be written as one: they are left out. */
export function writtenPolicy(policy: ManagedPolicy): ManagedPermissions & { readonly limitTo?: string[] } {
  const { bypassDisabled, deny, ask, allowLists, limits } = policy;
  const texts = (rules: readonly ManagedRule[]) => rules.map(({ text }) => text);
  const [allow, ...more] = allowLists;
  const [limit, ...moreLimits] = limits;
  return {
    ...(bypassDisabled ? { disableBypassPermissionsMode: "disable" } : {}),
    ...(deny.length > 0 ? { deny: texts(deny) } : {}),
    ...(ask.length > 0 ? { ask: texts(ask) } : {}),
    ...(allow && more.length === 0 ? { allow: texts(allow) } : {}),
    ...(limit && moreLimits.length === 0 ? { limitTo: limit.map((host) => `Domain(${host})`) } : {}),
  };
}

/** Both at once, the stricter of the two wherever they differ. */
export function composeManaged(one: ManagedPolicy, other: ManagedPolicy): ManagedPolicy {
  return {
    bypassDisabled: one.bypassDisabled || other.bypassDisabled,
    deny: joined(one.deny, other.deny),
    ask: joined(one.ask, other.ask),
    allowLists: [...one.allowLists, ...other.allowLists],
    limits: [
      ...one.limits,
      ...other.limits.filter((limit) => !one.limits.some((known) => isEqual(known, limit))),
    ],
  };
}

function isEqual(one: HostLimit, other: HostLimit): boolean {
  return one.length === other.length && one.every((host, index) => host === other[index]);
}

/** A rule of both lists counts once, so a client that joins again adds none. */
function joined(one: readonly ManagedRule[], other: readonly ManagedRule[]): readonly ManagedRule[] {
  const known = new Set(one.map((rule) => rule.text));
  return [...one, ...other.filter((rule) => !known.has(rule.text))];
}

/**
 * What is too much to be compared with the rules is denied: nobody knows what they say of it.
 * @param workingDirectory absolute; where relative path patterns start.
 */
export function judgeManaged(
  policy: ManagedPolicy,
  ask: PermissionAsk,
  workingDirectory: string,
): ManagedVerdict {
  try {
    const paths = [...pathsOf(ask).keys()];
    const texts = ask.kind === "shell" ? textsOf(ask, possibleCommandsOf(ask)) : "nothing";
    return judge(policy, ask, { workingDirectory, paths, texts, steps: new Steps() });
  } catch (error) {
    if (!(error instanceof TooManyStepsError)) throw error;
    return {
      kind: "denied",
      rules: [`managedSettings: ${error.message}; make the call or the rules shorter`],
    };
  }
}

/** What rules are compared in. */
interface Judgement {
  readonly workingDirectory: string;
  readonly paths: readonly string[];
  readonly texts: CommandTexts;
  readonly steps: Steps;
}

function judge(policy: ManagedPolicy, ask: PermissionAsk, judgement: Judgement): ManagedVerdict {
  const beyond = beyondLimits(policy.limits, ask);
  if (beyond !== undefined) return { kind: "denied", rules: [beyond] };
  const touches = (rule: ManagedRule) => coversAny(rule, ask, judgement);
  const denying = policy.deny.filter(touches);
  if (denying.length > 0) return { kind: "denied", rules: denying.map((rule) => rule.text) };
  if (policy.ask.some(touches) || mayReachUnseen(policy, ask)) return { kind: "ask" };
  const lists = policy.allowLists.filter((list) => governs(list, ask));
  if (lists.length === 0) return { kind: "unmanaged" };
  const admitted = lists.every((list) => coversAll(list, ask, judgement));
  return { kind: admitted ? "allowed" : "ask" };
}

/** What a command that is not understood reads, writes or calls is not known: a person has to look at it. */
function mayReachUnseen({ deny, ask: asked }: ManagedPolicy, ask: PermissionAsk): boolean {
  if (ask.kind !== "shell" || ask.canOfferSessionApproval === true) return false;
  return [...deny, ...asked].some(({ family }) => ["read", "write", "domain"].includes(family));
}

/** MCP's and the clients' own tools are governed only by a list that speaks of such. */
function governs(list: readonly ManagedRule[], ask: PermissionAsk): boolean {
  if (ask.kind !== "mcp" && ask.kind !== "custom-tool") return ask.kind !== "hook";
  return list.some((rule) => rule.family === ask.kind);
}

/** Whether the rule covers any part of what is asked: so denials and questions are read. */
function coversAny(rule: ManagedRule, ask: PermissionAsk, judgement: Judgement): boolean {
  const { steps } = judgement;
  if (rule.family === "read" || rule.family === "write") {
    if (ask.kind !== "shell" && ask.kind !== rule.family) return false;
    // A command may do with its paths what it likes; one that names none is not about files.
    return judgement.paths.some((path) => coversOnePath(rule, path, judgement));
  }
  if (rule.family === "domain") return urlsOf(ask).some((url) => coversHost(rule, url, steps));
  if (rule.family === "shell" && ask.kind === "shell")
    return rule.pattern === undefined || coversCommand(rule.pattern, judgement);
  return coversTool(rule, ask, steps);
}

/** What patterns for commands are compared with. Whatever may run counts, in each way of writing it. */
type CommandTexts =
  | "nothing"
  /** It is not to be seen what runs: every pattern may cover it. */
  | "anything"
  | {
      /** As they begin. */
      readonly whole: readonly string[];
      /** Words any of which may begin a command, with a blank around each. */
      readonly loose: readonly string[];
    };

function textsOf(ask: PermissionAsk, { lines, areExact, hidesMore }: PossibleCommands): CommandTexts {
  if (hidesMore) return "anything";
  const written = [String(ask.fullCommandText), ...segmentsOf(ask)];
  if (!areExact)
    return { whole: written, loose: lines.map((words) => words.map((word) => ` ${word} `).join("")) };
  const bare = lines.map((words) => words.filter((word, index) => index === 0 || !word.startsWith("-")));
  const texts = [...lines, ...bare].map((words) => words.join(" "));
  return { whole: [...new Set([...written, ...texts])], loose: [] };
}

function coversCommand(pattern: string, { texts, steps }: Judgement): boolean {
  if (typeof texts === "string") return texts === "anything";
  if (texts.whole.some((text) => coversText(pattern, text, steps))) return true;
  // Other words may stand between those of the pattern; the first may be a path.
  const [program = "", ...words] = pattern.trim().split(/\s+/);
  const name = program.slice(program.lastIndexOf("/") + 1);
  const spread = `* ${[name, ...words.filter((word) => word !== "*")].join(" * ")} *`;
  return texts.loose.some((text) => coversText(spread, text, steps));
}

/** Whether the list admits every part of what is asked. */
function coversAll(list: readonly ManagedRule[], ask: PermissionAsk, judgement: Judgement): boolean {
  const { steps } = judgement;
  const of = (family: Family) => list.filter((rule) => rule.family === family);
  switch (ask.kind) {
    case "shell": {
      const rules = of("shell");
      if (rules.some((rule) => rule.pattern === undefined)) return true;
      const segments = ask.canOfferSessionApproval === true ? segmentsOf(ask) : [];
      const isAdmitted = (text: string) =>
        rules.some((rule) => coversText(rule.pattern as string, text, steps));
      return segments.length > 0 && segments.every(isAdmitted);
    }
    case "read":
    case "write":
      return judgement.paths.every((path) =>
        of(ask.kind as Family).some((rule) => coversOnePath(rule, path, judgement)),
      );
    case "url":
      return urlsOf(ask).every((url) => of("domain").some((rule) => coversHost(rule, url, steps)));
    default:
      return list.some((rule) => coversTool(rule, ask, steps));
  }
}

function coversOnePath(
  { pattern }: ManagedRule,
  path: string,
  { workingDirectory, steps }: Judgement,
): boolean {
  if (pattern === undefined) return true;
  const isAnchored = pattern.startsWith("/") || pattern.startsWith("**");
  return coversPath(
    isAnchored ? pattern : `${workingDirectory}/${pattern.replace(/^\.\//, "")}`,
    path,
    steps,
  );
}

/** `example.com`, `*.example.com`; of any scheme and port. */
function coversHost({ pattern }: ManagedRule, url: string, steps: Steps): boolean {
  if (pattern === undefined) return true;
  steps.take(url.length * STEPS_A_CHARACTER_OF_URLS);
  try {
    return coversText(pattern.toLowerCase(), new URL(url).hostname, steps);
  } catch {
    return false;
  }
}

/** `server`, `server:tool` or `server/tool` of MCP; the name of a client's tool. */
function coversTool({ family, pattern }: ManagedRule, ask: PermissionAsk, steps: Steps): boolean {
  if (family !== ask.kind) return false;
  if (pattern === undefined) return true;
  if (family === "custom-tool") return coversText(pattern, String(ask.toolName), steps);
  const names = [
    `${ask.serverName}`,
    `${ask.serverName}:${ask.toolName}`,
    `${ask.serverName}/${ask.toolName}`,
  ];
  return names.some((name) => coversText(pattern, name, steps));
}

function urlsOf(ask: PermissionAsk): string[] {
  if (ask.kind === "url") return [String(ask.url)];
  const urls = ask.kind === "shell" && Array.isArray(ask.possibleUrls) ? ask.possibleUrls : [];
  return urls.map((entry: { url: string }) => entry.url);
}

function segmentsOf(ask: PermissionAsk): string[] {
  const segments = Array.isArray(ask.commandSegments) ? ask.commandSegments : [];
  return segments.map((segment: { fullCommandText: string }) => segment.fullCommandText);
}

function parseRules(rules: readonly string[] | undefined | null, field: string): ManagedRule[] {
  if (rules && rules.length > MAX_RULES) throw invalid(field, `there are more than ${MAX_RULES} rules`);
  return (rules ?? []).map((text, index) => {
    const [, name = "", pattern] = /^([A-Za-z]+)(?:\((.+)\))?$/s.exec(text) ?? [];
    const family = FAMILIES[name.toLowerCase()];
    if (family === undefined || text.length > MAX_RULE_CHARS) {
      throw invalid(
        `${field}[${index}]`,
        `expected Family or Family(pattern), the family one of Bash, Shell, PowerShell, Read, Edit, Write, Domain, Mcp and CustomTool; got ${JSON.stringify(cutText(text, 100))}`,
      );
    }
    return { family, pattern, text };
  });
}

/** @throws RpcError `invalid_params`. */
function parseLimit(limitTo: unknown): HostLimit {
  const field = "permissions.limitTo";
  if (!Array.isArray(limitTo)) throw invalid(field, "expected a list of Domain(host)");
  if (limitTo.length > MAX_RULES) throw invalid(field, `there are more than ${MAX_RULES} rules`);
  return limitTo.map((rule: unknown, index) => {
    const host = typeof rule === "string" && rule.length <= MAX_RULE_CHARS ? parseHost(rule) : undefined;
    if (host !== undefined) return host;
    throw invalid(
      `${field}[${index}]`,
      `expected Domain(name), Domain(address) or Domain(*.name), without scheme, port and path; got ${cutText(JSON.stringify(rule) ?? "nothing", 100)}`,
    );
  });
}

function invalid(field: string, problem: string): RpcError {
  const path = `managedSettings.${field}`;
  return new RpcError("invalid_params", `${path}: ${problem}`, { path });
}
